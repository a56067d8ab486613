-- What: customers of a billing period who must get no draft yet, and why.
-- Grain: customer and reason.
-- Keys: customer_id, kind, reason.
-- Inputs: period_items (priced line items of the period's current deliveries), account_holders (source,
--     customer_id: who has an account there in the period), differences (rows of vendor_differences that block).
-- Params: $override_unsettled (true: an operator accepts that vendors still estimate).
-- Units: none.
-- Fails: never; no row means nobody is blocked.
with

period_items as (
    select * from period_items
    where customer_id is not null
),

differences as (
    select distinct
        source,
        billing_account_id,
        currency,
        detail,
    from differences
),

-- What is missing from a source may belong to any of its customers.
customers_of_sources as (
    select
        source,
        customer_id,
    from period_items
    union
    select
        source,
        customer_id,
    from account_holders
),

blocks as (
    select
        customer_id,
        'unpriced' as kind,
        count(*) || ' charge(s) of ' || coalesce(product_name, product_id, 'a product without name') || ' from '
        || source || ' have no price: ' || reason as reason,
    from period_items
    where bucket = 'unpriced'
    group by
        customer_id,
        coalesce(product_name, product_id, 'a product without name'),
        source,
        reason
    union all
    select
        customer_id,
        'unsettled' as kind,
        source || ' is not final for ' || billing_period || ': ' || count(*)
        || ' charge(s) are estimates; wait, or override with a reason' as reason,
    from period_items
    where
        not $override_unsettled
        -- A marketplace fee keeps its own bucket while its delivery is estimated, and can stand on an invoice.
        and (bucket = 'not_yet_final' or (bucket = 'marketplace_fee' and not is_final))
    group by
        customer_id,
        source,
        billing_period
    union all
    select
        customers_of_sources.customer_id,
        'difference' as kind,
        'the total of ' || differences.source || ' ' || differences.billing_account_id || ' (' || differences.currency
        || ') is not what its rows add up to: ' || differences.detail
        || '; get a new delivery, or accept it: `billing reconcile --help`' as reason,
    from customers_of_sources
    inner join differences
        on customers_of_sources.source = differences.source
)

select * from blocks
order by
    customer_id,
    kind,
    reason
