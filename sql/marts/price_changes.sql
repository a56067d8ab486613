-- What: a month's prices before and after a change of terms, and how much they differ.
-- Grain: customer, product (if asked for) and currency; and one row of totals per currency, is_total true.
-- Keys: is_total, customer_id, product_id, currency.
-- Inputs: line_items_before, line_items_after (priced_line_items of the same charges), reference_customers.
-- Params: $by_product (true: a row per customer and product; false: per customer).
-- Units: amounts in currency; change_percent of the price before, negative is cheaper.
-- Fails: never; change_percent is null where there was no price before. Only charges with a customer and a price count.
with

before as (
    select
        *,
        customer_id is not null and total_sell is not null and bucket <> 'excluded_by_rule' as is_priced,
    from line_items_before
),

after as (
    select
        *,
        customer_id is not null and total_sell is not null and bucket <> 'excluded_by_rule' as is_priced,
    from line_items_after
),

reference_customers as (
    select * from reference_customers
),

-- A charge that changes its customer leaves one row and enters another, so each side stands for itself.
sides as (
    select
        before.customer_id,
        before.product_id,
        before.product_name,
        before.currency,
        before.total_sell as sell_before,
        cast(0 as decimal(38, 24)) as sell_after,
        before.margin as margin_before,
        cast(0 as decimal(38, 24)) as margin_after,
        0 as charges,
        0 as newly_priced,
        case when coalesce(after.is_priced, false) then 0 else 1 end as newly_unpriced,
    from before
    left join after
        on before.line_item_id = after.line_item_id
    where before.is_priced
    union all
    select
        after.customer_id,
        after.product_id,
        after.product_name,
        after.currency,
        cast(0 as decimal(38, 24)) as sell_before,
        after.total_sell as sell_after,
        cast(0 as decimal(38, 24)) as margin_before,
        after.margin as margin_after,
        1 as charges,
        case when coalesce(before.is_priced, false) then 0 else 1 end as newly_priced,
        0 as newly_unpriced,
    from after
    left join before
        on after.line_item_id = before.line_item_id
    where after.is_priced
),

keyed as (
    select
        * exclude (product_id, product_name),
        case when $by_product then product_id end as product_id,
        case when $by_product then product_name end as product_name,
    from sides
),

summed as (
    select
        grouping(customer_id) = 1 as is_total,
        customer_id,
        product_id,
        min(product_name) as product_name,
        currency,
        cast(sum(charges) as bigint) as charges,
        cast(sum(sell_before) as decimal(38, 24)) as sell_before,
        cast(sum(sell_after) as decimal(38, 24)) as sell_after,
        cast(sum(margin_before) as decimal(38, 24)) as margin_before,
        cast(sum(margin_after) as decimal(38, 24)) as margin_after,
        cast(sum(newly_priced) as bigint) as newly_priced,
        cast(sum(newly_unpriced) as bigint) as newly_unpriced,
    from keyed
    group by grouping sets (
        (customer_id, product_id, currency),
        (currency)
    )
),

price_changes as (
    select
        summed.is_total,
        summed.customer_id,
        reference_customers.name as customer_name,
        summed.product_id,
        case when not summed.is_total then summed.product_name end as product_name,
        summed.currency,
        summed.charges,
        summed.sell_before,
        summed.sell_after,
        cast(summed.sell_after - summed.sell_before as decimal(38, 24)) as change,
        cast(
            exact_ratio(summed.sell_after - summed.sell_before, abs(summed.sell_before)) * 100 as decimal(38, 8)
        ) as change_percent,
        summed.margin_before,
        summed.margin_after,
        summed.newly_priced,
        summed.newly_unpriced,
    from summed
    left join reference_customers
        on summed.customer_id = reference_customers.customer_id
)

select * from price_changes
order by
    is_total,
    customer_id,
    currency,
    product_id
