-- Add up each distributor invoice of a file beside the net total its header states.
--
-- Grain: one row per invoice, in the order of the file.
-- Keys: invoice_number.
-- Inputs: converted_rows, canonical rows of one file of distributor invoices whose header values agree.
-- Params: none.
-- Units: amounts in currency, negative for credits, exact.
-- Fails: never.
with

totals as (

    select
        invoice_id as invoice_number,
        billing_currency as currency,
        min(row_number) as first_row,
        min(x_invoice_type) as invoice_type,
        min(x_invoice_status) as invoice_status,
        min(x_issued_at) as issued_at,
        min(x_net_total) as net_total,
        cast(sum(billed_cost) as decimal(38, 18)) as items_total,
    from converted_rows
    group by invoice_id, billing_currency

)

select * from totals
order by first_row
