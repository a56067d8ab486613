-- What: the totals in force among all that vendors have stated in invoice_totals.csv files.
--     A file that is overwritten in place replaces what its earlier versions say of the same account, month and
--     currency; of an invoice that several files name the newest arrival counts; a row without invoice number is an
--     estimate of the whole account and month, which any newer file on that account and month replaces.
-- Grain: source, billing account, billing period, currency and invoice number (or none: an estimate).
-- Keys: source, billing_account_id, billing_period, currency, invoice_id (nullable).
-- Inputs: every_vendor_total (rows of the lake's vendor_totals, all days of arrival).
-- Params: none.
-- Units: amounts in currency.
-- Fails: never; a file that names an invoice twice is refused at its intake.
with

every_vendor_total as (
    select * from every_vendor_total
),

ranked as (
    select
        *,
        dense_rank() over (
            partition by source, billing_account_id, billing_period, currency
            order by received_at desc, landed_at desc, file_name, file_sha256
        ) as rank_of_file,
        dense_rank() over (
            partition by source, file_name, billing_account_id, billing_period, currency
            order by received_at desc, landed_at desc, file_sha256
        ) as rank_of_version,
    from every_vendor_total
),

newest_versions as (
    select
        *,
        row_number() over (
            partition by source, billing_account_id, billing_period, currency, invoice_id
            order by rank_of_file, row_number
        ) as rank_of_row,
    from ranked
    where rank_of_version = 1
),

current_totals as (
    select
        source,
        billing_account_id,
        billing_period,
        invoice_id,
        invoice_date,
        currency,
        net_total,
        tax_total,
        is_final,
        received_at,
        landed_at,
        seen_at,
        file_name,
        file_sha256,
        row_number,
    from newest_versions
    where
        rank_of_row = 1
        and (invoice_id is not null or rank_of_file = 1)
)

select * from current_totals
order by
    source,
    billing_account_id,
    billing_period,
    currency,
    invoice_id
