-- What: the charges behind the lines of some drafts, as they are billed: what documents refer to ever after.
-- Grain: one charge behind one line of a document.
-- Keys: invoice_id, line_number, charge_id.
-- Inputs: drafted_items (sql/invoicing/drafted_items.sql), drafted_lines (the lines of the drafts: invoice_id,
--     line_number and the grain of draft_lines).
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

billed as (
    select
        drafted_lines.invoice_id,
        drafted_lines.line_number,
        drafted_items.charge_id,
        drafted_items.source,
        drafted_items.delivery_id,
        drafted_items.billing_account_id,
        drafted_items.billing_period,
        drafted_items.sub_account_id,
        drafted_items.product_id,
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
)

select * from billed
