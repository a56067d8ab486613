-- What: what all rows of a charge have in common and the priced line does not say, from one of its rows.
-- Grain: one charge.
-- Keys: charge_id.
-- Inputs: charge_rows (sql/explaining/charge_rows.sql).
-- Params: none.
-- Units: none.
-- Fails: never; a charge without any row is absent.
with

charge_rows as (
    select * from charge_rows
),

first_rows as (
    select
        charge_id,
        min(coalesce(sku_id, service_name)) as vendor_product_id,
        min(order_id) as order_id,
        min(ordered_at) as ordered_at,
        min(issued_at) as issued_at,
        min(invoice_date) as invoice_date,
    from charge_rows
    group by charge_id
)

select * from first_rows
