-- What: where every cent of a delivery went, one row per bucket.
-- Grain: delivery, currency, bucket.
-- Keys: delivery_id, currency, bucket.
-- Inputs: line_items (priced_line_items of the deliveries).
-- Params: none.
-- Units: amount is vendor cost in currency; row_count counts vendor rows.
-- Fails: never; that the buckets add up to the delivery is checked by unexplained_differences.sql.
with

line_items as (
    select * from line_items
),

buckets as (
    select
        source,
        billing_account_id,
        billing_period,
        currency,
        bucket,
        cast(sum(total_cost) as decimal(38, 24)) as amount,
        cast(sum(row_count) as bigint) as row_count,
        delivery_id,
    from line_items
    group by
        source,
        billing_account_id,
        billing_period,
        currency,
        bucket,
        delivery_id
)

select * from buckets
