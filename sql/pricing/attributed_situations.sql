-- What: whose charge it is, which product of the reseller's catalogue it is, and what was only recorded later.
-- Grain: one situation, as the input.
-- Keys: situation_id.
-- Inputs: situations, known_accounts, known_customers, known_products.
-- Params: none.
-- Units: customer_currency is the customer's invoice currency; customer_since and product_since are instants.
-- Fails: never drops or repeats a situation; no customer leaves customer_id null. What was known at known_at wins, the
--     row recorded last first; a row recorded later only fills a gap, the earliest first (macro knowledge_order). Then
--     customer_since says when, and product_since if that was later still: prices that were there before stay.
with

situations as (
    select * from situations
),

known_accounts as (
    select * from known_accounts
),

known_customers as (
    select * from known_customers
),

known_products as (
    select * from known_products
),

-- A distributor's file may name our own customer id; a vendor's account never is one.
owner_matches as (
    select
        situations.situation_id,
        situations.known_at,
        situations.seen_at,
        known_accounts.customer_id,
        known_accounts.recorded_at,
        known_accounts.withdrawn_at,
        known_accounts.source_row,
        1 as priority,
    from situations
    inner join known_accounts
        on
            situations.source = known_accounts.source
            and situations.sub_account_id = known_accounts.account_id
            and situations.term_day >= known_accounts.valid_from
            and (situations.term_day < known_accounts.valid_to or known_accounts.valid_to is null)
    union all
    select
        situations.situation_id,
        situations.known_at,
        situations.seen_at,
        known_customers.customer_id,
        known_customers.recorded_at,
        known_customers.withdrawn_at,
        known_customers.source_row,
        2 as priority,
    from situations
    inner join known_customers
        on
            situations.is_item
            and situations.sub_account_id = known_customers.customer_id
),

owner_candidates as (
    select
        situation_id,
        known_at,
        seen_at,
        customer_id,
        recorded_at as attributed_at,
        row_number() over (
            partition by situation_id
            order by knowledge_order(recorded_at, withdrawn_at, known_at, priority, source_row)
        ) as choice,
    from owner_matches
    where is_usable(recorded_at, withdrawn_at, known_at, seen_at)
),

owners as (
    select * from owner_candidates
    where choice = 1
),

currency_candidates as (
    select
        owners.situation_id,
        known_customers.invoice_currency,
        row_number() over (
            partition by owners.situation_id
            order by
                knowledge_order(
                    known_customers.recorded_at,
                    known_customers.withdrawn_at,
                    owners.known_at,
                    1,
                    known_customers.source_row
                )
        ) as choice,
    from owners
    inner join known_customers
        on owners.customer_id = known_customers.customer_id
    where
        is_usable(known_customers.recorded_at, known_customers.withdrawn_at, owners.known_at, owners.seen_at)
),

customers as (
    select
        owners.situation_id,
        owners.customer_id,
        owners.attributed_at,
        currency_candidates.invoice_currency as customer_currency,
    from owners
    left join currency_candidates
        on
            owners.situation_id = currency_candidates.situation_id
            and currency_candidates.choice = 1
),

product_matches as (
    select
        situations.situation_id,
        situations.known_at,
        situations.seen_at,
        known_products.*,
        1 as priority,
    from situations
    inner join known_products
        on
            situations.vendor_product_id = known_products.sku
            and situations.source = known_products.source
    union all
    select
        situations.situation_id,
        situations.known_at,
        situations.seen_at,
        known_products.*,
        2 as priority,
    from situations
    inner join known_products
        on situations.vendor_product_id = known_products.product_id
),

product_candidates as (
    select
        situation_id,
        product_id,
        product_type,
        recorded_at,
        row_number() over (
            partition by situation_id
            order by knowledge_order(recorded_at, withdrawn_at, known_at, priority, source_row)
        ) as choice,
    from product_matches
    where is_usable(recorded_at, withdrawn_at, known_at, seen_at)
),

attributed_situations as (
    select
        situations.*,
        customers.customer_id,
        customers.customer_currency,
        case when customers.attributed_at > situations.known_at then customers.attributed_at end as customer_since,
        coalesce(product_candidates.product_id, situations.vendor_product_id) as product_id,
        coalesce(product_candidates.product_type, situations.vendor_product_type) as product_type,
        case
            when product_candidates.recorded_at > greatest(situations.known_at, customers.attributed_at)
                then product_candidates.recorded_at
        end as product_since,
    from situations
    left join customers
        on situations.situation_id = customers.situation_id
    left join product_candidates
        on
            situations.situation_id = product_candidates.situation_id
            and product_candidates.choice = 1
)

select * from attributed_situations
