-- What: cost, price and margin of the priced charges, by customer and product type.
-- Grain: billing period, customer, product type and currency.
-- Keys: the same.
-- Inputs: current_line_items (priced line items of current deliveries).
-- Params: none.
-- Units: amounts in currency; margin_percent of the price, to 8 places, null where there is no price.
-- Fails: never. The same charges as the published priced_line_items, estimates and passed-on fees included; what a
--     document adds to them (support, custom charges, credits, taxes) has no cost and is not here.
with

current_line_items as (
    select * from current_line_items
),

sums as (
    select
        billing_period,
        customer_id,
        coalesce(product_type, 'Other') as product_type,
        currency,
        count(*) as charge_count,
        cast(sum(total_cost) as decimal(38, 24)) as total_cost,
        cast(sum(total_sell) as decimal(38, 24)) as total_sell,
        cast(sum(margin) as decimal(38, 24)) as margin,
    from current_line_items
    where customer_id is not null and total_sell is not null and bucket <> 'excluded_by_rule'
    group by
        billing_period,
        customer_id,
        coalesce(product_type, 'Other'),
        currency
),

margins as (
    select
        *,
        cast(exact_ratio(margin, total_sell) * 100 as decimal(38, 8)) as margin_percent,
    from sums
)

select * from margins
order by
    billing_period,
    customer_id,
    product_type,
    currency
