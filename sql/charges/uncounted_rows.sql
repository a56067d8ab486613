-- What: deliveries whose vendor rows are not all behind a customer charge or an excluded one, or whose cost is not.
-- Grain: delivery and currency with a difference; none is the good answer.
-- Keys: delivery_id, currency.
-- Inputs: listed_charges (customer_charges), left_out_charges (excluded_charges), deliveries (row_count and total_cost
--     as converted).
-- Params: none.
-- Units: costs in currency; counts are of vendor rows.
-- Fails: returns the guilty deliveries.
with

listed_charges as (
    select * from listed_charges
),

left_out_charges as (
    select * from left_out_charges
),

deliveries as (
    select * from deliveries
),

parts as (
    select
        delivery_id,
        currency,
        row_count,
        total_cost_price as cost,
    from listed_charges
    union all
    select
        delivery_id,
        currency,
        row_count,
        total_cost as cost,
    from left_out_charges
),

counted as (
    select
        delivery_id,
        currency,
        sum(row_count) as row_count,
        sum(cost) as cost,
    from parts
    group by
        delivery_id,
        currency
),

compared as (
    select
        coalesce(deliveries.delivery_id, counted.delivery_id) as delivery_id,
        coalesce(deliveries.currency, counted.currency) as currency,
        coalesce(deliveries.row_count, 0) as delivered_rows,
        cast(coalesce(counted.row_count, 0) as bigint) as counted_rows,
        coalesce(deliveries.total_cost, 0) as delivered_cost,
        coalesce(counted.cost, 0) as counted_cost,
    from deliveries
    -- Both ways: a charge of a delivery that did not come that day is a difference too.
    full join counted
        on
            deliveries.delivery_id = counted.delivery_id
            and deliveries.currency = counted.currency
)

select * from compared
where
    delivered_rows <> counted_rows
    or delivered_cost <> counted_cost
order by
    delivery_id,
    currency
