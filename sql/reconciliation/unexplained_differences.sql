-- What: deliveries whose buckets do not add up to their rows, to the last decimal.
-- Grain: delivery and currency with a difference; none is the good answer.
-- Keys: delivery_id, currency.
-- Inputs: buckets (usage_reconciliation), deliveries (row_count and total_cost as converted).
-- Params: none.
-- Units: amounts in currency.
-- Fails: returns the guilty deliveries.
with

buckets as (
    select
        delivery_id,
        currency,
        source,
        billing_account_id,
        billing_period,
        sum(amount) as bucket_amount,
        sum(row_count) as bucket_rows,
    from buckets
    group by
        delivery_id,
        currency,
        source,
        billing_account_id,
        billing_period
),

deliveries as (
    select
        delivery_id,
        currency,
        source,
        billing_account_id,
        billing_period,
        total_cost,
        row_count,
    from deliveries
),

compared as (
    select
        coalesce(deliveries.source, buckets.source) as source,
        coalesce(deliveries.billing_account_id, buckets.billing_account_id) as billing_account_id,
        coalesce(deliveries.billing_period, buckets.billing_period) as billing_period,
        coalesce(deliveries.currency, buckets.currency) as currency,
        coalesce(deliveries.delivery_id, buckets.delivery_id) as delivery_id,
        coalesce(deliveries.total_cost, 0) as rows_amount,
        coalesce(buckets.bucket_amount, 0) as bucket_amount,
        coalesce(deliveries.row_count, 0) as rows_count,
        coalesce(buckets.bucket_rows, 0) as bucket_rows,
    from deliveries
    -- Both ways: an amount that came about in a currency the delivery does not have is a difference too.
    full join buckets
        on
            deliveries.delivery_id = buckets.delivery_id
            and deliveries.currency = buckets.currency
)

select * from compared
where
    rows_amount <> bucket_amount
    or rows_count <> bucket_rows
order by
    delivery_id,
    currency
