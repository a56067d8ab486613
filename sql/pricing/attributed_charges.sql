-- What: whose charge it is, and which product of the reseller's catalogue.
-- Grain: one charge, as the input.
-- Keys: charge_id.
-- Inputs: charges, reference_accounts, reference_customers, reference_products.
-- Params: none.
-- Units: as the input.
-- Fails: never drops or repeats a charge; no customer leaves customer_id null. The mapping known when the delivery
--     arrived wins, the one recorded last first; a mapping recorded later only fills a gap, the earliest first.
with

charges as (
    select * from charges
),

reference_accounts as (
    select * from reference_accounts
),

reference_customers as (
    select * from reference_customers
),

reference_products as (
    select * from reference_products
),

account_days as (
    select distinct
        source,
        sub_account_id,
        term_day,
        received_at,
    from charges
    where sub_account_id is not null
),

candidates as (
    select
        account_days.source,
        account_days.sub_account_id,
        account_days.term_day,
        account_days.received_at,
        reference_accounts.customer_id,
        row_number() over (
            partition by
                account_days.source,
                account_days.sub_account_id,
                account_days.term_day,
                account_days.received_at
            order by
                case when reference_accounts.recorded_at <= account_days.received_at then 0 else 1 end,
                case
                    when reference_accounts.recorded_at <= account_days.received_at
                        then -epoch_us(reference_accounts.recorded_at)
                    else epoch_us(reference_accounts.recorded_at)
                end,
                reference_accounts.source_row
        ) as choice,
    from account_days
    inner join reference_accounts
        on
            account_days.source = reference_accounts.source
            and account_days.sub_account_id = reference_accounts.account_id
            and account_days.term_day >= reference_accounts.valid_from
            and (account_days.term_day < reference_accounts.valid_to or reference_accounts.valid_to is null)
),

mapped as (
    select
        source,
        sub_account_id,
        term_day,
        received_at,
        customer_id,
    from candidates
    where choice = 1
),

products_by_sku as (
    select
        source,
        sku,
        product_id,
    from reference_products
    where source is not null and sku is not null
),

attributed as (
    select
        charges.*,
        -- A distributor's file may name our own customer id; a vendor's account never is one.
        coalesce(mapped.customer_id, named.customer_id) as customer_id,
        coalesce(products_by_sku.product_id, charges.vendor_product_id) as product_id,
    from charges
    left join mapped
        on
            charges.source = mapped.source
            and charges.sub_account_id = mapped.sub_account_id
            and charges.term_day = mapped.term_day
            and charges.received_at = mapped.received_at
    left join reference_customers as named
        on
            charges.line_number is not null
            and charges.sub_account_id = named.customer_id
    left join products_by_sku
        on
            charges.source = products_by_sku.source
            and charges.vendor_product_id = products_by_sku.sku
),

named_products as (
    select
        attributed.*,
        coalesce(reference_products.name, attributed.vendor_product_name, attributed.product_id) as product_name,
        coalesce(reference_products.product_type, attributed.vendor_product_type) as product_type,
        coalesce(reference_products.pay_per_use, attributed.is_pay_per_use, attributed.line_number is null)
            as pay_per_use,
        coalesce(reference_products.tax_category, 'standard') as tax_category,
    from attributed
    left join reference_products
        on attributed.product_id = reference_products.product_id
)

select * from named_products
