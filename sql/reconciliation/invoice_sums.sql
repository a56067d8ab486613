-- What: the rows of deliveries added up by the vendor's invoice that they name.
-- Grain: source, billing account, billing period, currency and invoice (or none: rows without an invoice number).
-- Keys: source, billing_account_id, billing_period, currency, invoice_id (nullable).
-- Inputs: compared_rows (vendor rows with net_cost and tax_cost; see resources/vendor_differences.py).
-- Params: none.
-- Units: amounts in currency, exact.
-- Fails: never.
with

compared_rows as (
    select * from compared_rows
),

summed as (
    select
        source,
        billing_account_id,
        billing_period,
        billing_currency as currency,
        invoice_id,
        cast(sum(net_cost) as decimal(38, 18)) as net,
        cast(sum(tax_rows) as decimal(38, 18)) as tax_rows,
        cast(sum(tax_beside) as decimal(38, 18)) as tax_beside,
    from compared_rows
    group by
        source,
        billing_account_id,
        billing_period,
        billing_currency,
        invoice_id
)

select * from summed
