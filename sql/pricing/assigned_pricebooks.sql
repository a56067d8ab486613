-- What: the pricebooks assigned to the account and to the customer of a situation, with their currency.
-- Grain: situation, what the pricebook is assigned to, and pricebook.
-- Keys: situation_id, assigned_to, pricebook_id.
-- Inputs: attributed_situations, known_accounts, known_customers, known_pricebooks.
-- Params: none.
-- Units: currency is the pricebook's; assigned_since is an instant.
-- Fails: never. The pricebook of the mapping or customer row that counted when the situation had its customer has
--     assigned_since null. One that was assigned later stands beside it with the instant of its recording: it fills
--     gaps and changes no price.
with

situations as (
    select
        *,
        greatest(known_at, customer_since) as attributed_at,
    from attributed_situations
    where customer_id is not null
),

known_accounts as (
    select * from known_accounts
),

known_customers as (
    select * from known_customers
),

known_pricebooks as (
    select * from known_pricebooks
),

assignments as (
    select
        situations.situation_id,
        situations.attributed_at,
        situations.seen_at,
        'account' as assigned_to,
        known_accounts.pricebook_id,
        known_accounts.recorded_at,
        known_accounts.withdrawn_at,
        known_accounts.source_row,
    from situations
    inner join known_accounts
        on
            situations.source = known_accounts.source
            and situations.sub_account_id = known_accounts.account_id
            and situations.customer_id = known_accounts.customer_id
            and situations.term_day >= known_accounts.valid_from
            and (situations.term_day < known_accounts.valid_to or known_accounts.valid_to is null)
    union all
    select
        situations.situation_id,
        situations.attributed_at,
        situations.seen_at,
        'customer' as assigned_to,
        known_customers.pricebook_id,
        known_customers.recorded_at,
        known_customers.withdrawn_at,
        known_customers.source_row,
    from situations
    inner join known_customers
        on situations.customer_id = known_customers.customer_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by situation_id, assigned_to
            order by knowledge_order(recorded_at, withdrawn_at, attributed_at, 1, source_row)
        ) as choice,
        case when recorded_at > attributed_at then recorded_at end as late_at,
    from assignments
    where is_usable(recorded_at, withdrawn_at, attributed_at, seen_at)
),

assigned as (
    select
        situation_id,
        attributed_at,
        seen_at,
        assigned_to,
        pricebook_id,
        case when count(late_at) = count(*) then min(late_at) end as assigned_since,
    from ranked
    where pricebook_id is not null and (choice = 1 or late_at is not null)
    group by
        situation_id,
        attributed_at,
        seen_at,
        assigned_to,
        pricebook_id
),

currencies as (
    select
        assigned.situation_id,
        assigned.assigned_to,
        assigned.pricebook_id,
        known_pricebooks.currency,
        row_number() over (
            partition by assigned.situation_id, assigned.assigned_to, assigned.pricebook_id
            order by
                knowledge_order(
                    known_pricebooks.recorded_at,
                    known_pricebooks.withdrawn_at,
                    assigned.attributed_at,
                    1,
                    known_pricebooks.source_row
                )
        ) as choice,
    from assigned
    inner join known_pricebooks
        on assigned.pricebook_id = known_pricebooks.pricebook_id
    where
        is_usable(
            known_pricebooks.recorded_at,
            known_pricebooks.withdrawn_at,
            assigned.attributed_at,
            assigned.seen_at
        )
),

assigned_pricebooks as (
    select
        assigned.situation_id,
        assigned.assigned_to,
        assigned.pricebook_id,
        currencies.currency,
        assigned.assigned_since,
    from assigned
    left join currencies
        on
            assigned.situation_id = currencies.situation_id
            and assigned.assigned_to = currencies.assigned_to
            and assigned.pricebook_id = currencies.pricebook_id
            and currencies.choice = 1
)

select * from assigned_pricebooks
