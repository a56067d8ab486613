-- What: where each source stands in each billing period.
-- Grain: source, billing period and currency.
-- Keys: source, billing_period, currency.
-- Inputs: known_deliveries (deliveries with is_current), settlement_days (source, billing_period, expected_settled_on),
--     invoiced_sources (distinct source, billing_period of charges that stand on a document), differences
--     (unexplained_differences).
-- Params: $as_of_day: the day on which the question is asked.
-- Units: amounts in currency; vendor_total is null as soon as one delivery states none.
-- Fails: never.
with

known_deliveries as (
    select * from known_deliveries
),

settlement_days as (
    select * from settlement_days
),

invoiced_sources as (
    select * from invoiced_sources
),

differences as (
    select distinct
        source,
        billing_period,
    from differences
),

totals as (
    select
        source,
        billing_period,
        currency,
        bool_and(is_final) as is_final,
        case
            when count(vendor_net_total) = count(*) then cast(sum(vendor_net_total) as decimal(38, 18))
        end as vendor_total,
        cast(sum(total_cost) as decimal(38, 18)) as rows_total,
        max(received_at) as last_received_at,
        count(distinct delivery_id) as delivery_count,
    from known_deliveries
    where is_current
    group by
        source,
        billing_period,
        currency
),

states as (
    select
        totals.source,
        totals.billing_period,
        case
            when invoiced_sources.source is not null then 'locked'
            when $as_of_day < cast(totals.billing_period || '-01' as date) + interval 1 month then 'open'
            when totals.is_final and differences.source is null then 'settled'
            else 'collecting'
        end as state,
        totals.is_final,
        totals.currency,
        totals.vendor_total,
        totals.rows_total,
        cast(totals.vendor_total - totals.rows_total as decimal(38, 18)) as difference,
        settlement_days.expected_settled_on,
        totals.last_received_at,
        totals.delivery_count,
    from totals
    inner join settlement_days
        on
            totals.source = settlement_days.source
            and totals.billing_period = settlement_days.billing_period
    left join invoiced_sources
        on
            totals.source = invoiced_sources.source
            and totals.billing_period = invoiced_sources.billing_period
    left join differences
        on
            totals.source = differences.source
            and totals.billing_period = differences.billing_period
)

select * from states
order by
    source,
    billing_period,
    currency
