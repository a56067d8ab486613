-- What: the totals in force among all that vendors have stated in invoice_totals.csv files.
--     A file that is overwritten in place replaces what its earlier versions say of the same account, month and
--     currency; of an invoice that several files name the newest arrival counts. What is not final in an older file
--     gives way to newer final rows of the account and month. A row without invoice number is of the whole account
--     and month: any newer file replaces it, and it replaces older files, unless it is an estimate and they hold
--     final invoices; then these count and it does not.
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

in_force as (
    select
        *,
        min(rank_of_file) filter (where is_final) over account as newest_final_rank,
        bool_or(invoice_id is null) over account as has_whole,
        bool_or(invoice_id is null and is_final) over account as is_whole_final,
        bool_or(is_final and rank_of_file > 1) over account as has_older_invoice,
    from newest_versions
    where
        rank_of_row = 1
        and (invoice_id is not null or rank_of_file = 1)
    window account as (partition by source, billing_account_id, billing_period, currency)
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
    from in_force
    where
        case
            when rank_of_file = 1 then invoice_id is not null or is_final or not has_older_invoice
            when is_final then not is_whole_final
            else
                coalesce(rank_of_file <= newest_final_rank, true)
                and (not has_whole or has_older_invoice)
        end
)

select * from current_totals
order by
    source,
    billing_account_id,
    billing_period,
    currency,
    invoice_id
