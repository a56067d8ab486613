-- What: charges of customers who got no document for a month, with why: nobody pays for them.
-- Grain: one charge.
-- Keys: none of the columns; a customer's charges share all but their amounts.
-- Inputs: current_line_items (priced line items of current deliveries), ledger_invoice_errors (customers whom the last
--     run of drafts refused, with the reason), ledger_invoices.
-- Params: none.
-- Units: amount is our cost, in currency.
-- Fails: never. Who only waits for final figures is left out, and so is whoever has a document of the month.
with

current_line_items as (
    select * from current_line_items
),

refused as (
    select * from ledger_invoice_errors
),

documents as (
    select * from ledger_invoices
    where status <> 'void' and document_type = 'invoice'
),

waiting as (
    select distinct
        customer_id,
        billing_period,
    from current_line_items
    where bucket = 'not_yet_final'
),

uninvoiced_charges as (
    select
        'not_invoiced' as kind,
        current_line_items.customer_id,
        current_line_items.source,
        current_line_items.billing_period,
        current_line_items.total_cost as amount,
        current_line_items.currency,
        refused.reason as detail,
    from current_line_items
    inner join refused
        on
            current_line_items.customer_id = refused.customer_id
            and current_line_items.billing_period = refused.billing_period
    anti join waiting
        on
            current_line_items.customer_id = waiting.customer_id
            and current_line_items.billing_period = waiting.billing_period
    anti join documents
        on
            current_line_items.customer_id = documents.customer_id
            and current_line_items.billing_period = documents.billing_period
    where current_line_items.bucket = 'billed'
)

select * from uninvoiced_charges
