-- What: items of distributor invoices whose unit cost is not what the distributor's price list says.
-- Grain: one item.
-- Keys: line_item_id.
-- Inputs: current_line_items (priced line items of current deliveries).
-- Params: none.
-- Units: unit costs and srp in currency per unit; total_difference in currency, positive where the distributor charges
--     too much.
-- Fails: never. An item without price list is not looked at; nor is a credit, which returns what was charged.
with

current_line_items as (
    select * from current_line_items
),

differences as (
    select
        line_item_id,
        source,
        invoice_number,
        invoice_date,
        line_number,
        customer_id,
        product_id,
        product_name,
        price_list_id,
        srp,
        unit_cost,
        expected_unit_cost,
        cast(unit_cost - expected_unit_cost as decimal(38, 18)) as unit_difference,
        quantity,
        cast(
            cast(unit_cost - expected_unit_cost as decimal(28, 15)) * cast(quantity as decimal(28, 9))
            as decimal(38, 24)
        ) as total_difference,
        currency,
        billing_period,
    from current_line_items
    where charge_type = 'Debit' and unit_cost <> expected_unit_cost
)

select * from differences
order by
    source,
    invoice_number,
    line_number,
    line_item_id
