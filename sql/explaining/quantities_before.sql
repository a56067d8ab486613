-- What: the customer's quantity before each charge whose price counts the quantity of the whole month.
-- Grain: one charge of usage, priced by graduated tiers or by packages.
-- Keys: charge_id.
-- Inputs: delivery_items (priced_line_items of the deliveries in question, whole).
-- Params: none.
-- Units: quantity_before in the charge's unit.
-- Fails: never. The order is that of sql/pricing/tiered_charges.sql.
with

delivery_items as (
    select * from delivery_items
    where line_number is null and price_method in ('graduated', 'package')
),

summed as (
    select
        charge_id,
        quantity,
        cast(
            sum(quantity) over (
                partition by
                    delivery_id,
                    customer_id,
                    product_id,
                    unit,
                    currency,
                    price_method,
                    price_term_id,
                    price_scope,
                    price_scope_id
                order by
                    period_start,
                    charge_id
                rows between unbounded preceding and current row
            ) as decimal(38, 18)
        ) as quantity_after,
    from delivery_items
),

quantities_before as (
    select
        charge_id,
        cast(quantity_after - quantity as decimal(38, 18)) as quantity_before,
    from summed
)

select * from quantities_before
