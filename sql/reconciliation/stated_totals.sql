-- What: the totals that vendors state in invoice_totals.csv, under the billing account that their rows have.
-- Grain: one total in force.
-- Keys: source, billing_account_id, billing_period, currency, invoice_id (nullable).
-- Inputs: vendor_totals (in force), source_formats (source, format).
-- Params: $billing_periods (list of YYYY-MM, null for all).
-- Units: amounts in currency.
-- Fails: never. A distributor's rows have the invoice number as their billing account.
with

vendor_totals as (
    select * from vendor_totals
    where $billing_periods is null or list_contains($billing_periods, billing_period)
),

source_formats as (
    select * from source_formats
),

stated as (
    select
        vendor_totals.source,
        case
            when source_formats.format = 'distributor_invoice'
                then coalesce(vendor_totals.invoice_id, vendor_totals.billing_account_id)
            else vendor_totals.billing_account_id
        end as billing_account_id,
        vendor_totals.billing_period,
        vendor_totals.currency,
        vendor_totals.invoice_id,
        vendor_totals.net_total,
        vendor_totals.tax_total,
        vendor_totals.is_final,
        vendor_totals.file_name,
        vendor_totals.row_number,
    from vendor_totals
    left join source_formats
        on vendor_totals.source = source_formats.source
)

select * from stated
order by
    source,
    billing_account_id,
    billing_period,
    currency,
    invoice_id,
    file_name,
    row_number
