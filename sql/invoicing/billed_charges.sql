-- What: the charges behind the lines of some drafts, as they are billed: what documents refer to ever after.
-- Grain: one charge behind one line of a document.
-- Keys: invoice_id, line_number, charge_id.
-- Inputs: drafted_items (sql/invoicing/drafted_items.sql), adjustment_items (sql/invoicing/adjustment_items.sql),
--     drafted_lines (the lines of the drafts: invoice_id, line_number and the grain of draft_lines; of adjustments also
--     service_period, reference and description).
-- Params: none.
-- Units: amounts in currency, quantity in unit.
-- Fails: never; a charge whose line is on none of the drafts is left out.
with

drafted_items as (
    select * from drafted_items
),

drafted_lines as (
    select * from drafted_lines
),

adjustment_items as (
    select * from adjustment_items
),

billed as (
    select
        drafted_lines.invoice_id,
        drafted_lines.line_number,
        drafted_items.charge_id,
        drafted_items.customer_id,
        drafted_items.source,
        drafted_items.delivery_id,
        drafted_items.billing_account_id,
        drafted_items.billing_period,
        drafted_items.sub_account_id,
        drafted_items.product_id,
        drafted_items.line_product_name as product_name,
        drafted_items.line_product_type as product_type,
        drafted_items.line_tax_category as tax_category,
        drafted_items.charge_category,
        drafted_items.charge_nature,
        drafted_items.invoice_number as vendor_invoice_number,
        drafted_items.line_number as vendor_line_number,
        drafted_items.period_start,
        drafted_items.period_end,
        drafted_items.quantity,
        drafted_items.unit,
        drafted_items.total_cost,
        drafted_items.amount_precise,
        drafted_items.currency,
        drafted_items.price_term,
        drafted_items.price_term_id,
        drafted_items.is_final,
        drafted_items.row_count,
        cast(null as varchar) as cause,
        cast(null as varchar) as adjusts_invoice_number,
        cast(null as integer) as adjusts_line_number,
    from drafted_items
    inner join drafted_lines
        on
            drafted_items.customer_id = drafted_lines.customer_id
            and drafted_items.currency = drafted_lines.currency
            and drafted_items.line_product_type = drafted_lines.product_type
            and drafted_items.line_product_id = drafted_lines.product_id
            and drafted_items.line_product_name = drafted_lines.product_name
            and drafted_items.unit is not distinct from drafted_lines.unit
            and drafted_items.line_kind = drafted_lines.line_kind
            and drafted_items.line_tax_category = drafted_lines.tax_category
    union all
    select
        drafted_lines.invoice_id,
        drafted_lines.line_number,
        adjustment_items.charge_id,
        adjustment_items.customer_id,
        adjustment_items.source,
        adjustment_items.delivery_id,
        adjustment_items.billing_account_id,
        adjustment_items.billing_period,
        adjustment_items.sub_account_id,
        adjustment_items.product_id,
        adjustment_items.line_product_name as product_name,
        adjustment_items.line_product_type as product_type,
        adjustment_items.line_tax_category as tax_category,
        adjustment_items.charge_category,
        adjustment_items.charge_nature,
        adjustment_items.invoice_number as vendor_invoice_number,
        adjustment_items.line_number as vendor_line_number,
        adjustment_items.period_start,
        adjustment_items.period_end,
        adjustment_items.quantity,
        adjustment_items.unit,
        adjustment_items.total_cost,
        adjustment_items.amount_precise,
        adjustment_items.currency,
        adjustment_items.price_term,
        adjustment_items.price_term_id,
        adjustment_items.is_final,
        adjustment_items.row_count,
        adjustment_items.cause,
        adjustment_items.adjusts_invoice_number,
        cast(adjustment_items.adjusts_line_number as integer) as adjusts_line_number,
    from adjustment_items
    inner join drafted_lines
        on
            adjustment_items.customer_id = drafted_lines.customer_id
            and adjustment_items.currency = drafted_lines.currency
            and adjustment_items.line_product_type = drafted_lines.product_type
            and adjustment_items.line_product_id = drafted_lines.product_id
            and adjustment_items.line_product_name = drafted_lines.product_name
            and adjustment_items.unit is not distinct from drafted_lines.unit
            and adjustment_items.line_kind = drafted_lines.line_kind
            and adjustment_items.line_tax_category = drafted_lines.tax_category
            and adjustment_items.service_period = drafted_lines.service_period
            and adjustment_items.line_reference is not distinct from drafted_lines.reference
            and adjustment_items.line_description = drafted_lines.description
)

select * from billed
