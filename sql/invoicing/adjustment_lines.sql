-- What: adjustments of locked months gathered into the lines of drafts.
-- Grain: customer, currency, service period, product, unit, tax category, cause and line of the month's document.
-- Keys: customer_id, currency, service_period, product_type, product_id, product_name, unit, tax_category, reference,
--     description.
-- Inputs: adjustment_items (sql/invoicing/adjustment_items.sql).
-- Params: none.
-- Units: as draft_lines; charges_sha256 is the hash of the ids and differences of the line's charges.
-- Fails: never. Differences that add up to nothing are a line of 0: what they are made of has been billed, each.
with

adjustment_items as (
    select * from adjustment_items
),

lines as (
    select
        customer_id,
        currency,
        line_product_type as product_type,
        line_product_id as product_id,
        line_product_name as product_name,
        unit,
        line_kind,
        line_tax_category as tax_category,
        line_description as description,
        service_period,
        line_reference as reference,
        cast(sum(quantity) as decimal(38, 18)) as quantity,
        cast(sum(amount_precise) as decimal(38, 24)) as amount_precise,
        cast(sum(total_cost) as decimal(38, 24)) as cost_precise,
        count(*) as charge_count,
        sha256(
            string_agg(charge_id || ' ' || cast(amount_precise as varchar), chr(10) order by charge_id)
        ) as charges_sha256,
    from adjustment_items
    group by
        customer_id,
        currency,
        line_product_type,
        line_product_id,
        line_product_name,
        unit,
        line_kind,
        line_tax_category,
        line_description,
        service_period,
        line_reference
)

select * from lines
