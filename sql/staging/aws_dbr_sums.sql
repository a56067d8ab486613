-- Add up the rows of a detailed billing report by what its totals cover.
--
-- Grain: record type, accounts, invoice and currency.
-- Keys: record_type, payer_account_id, linked_account_id, invoice_id, currency.
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/aws_dbr.py, and row_number.
-- Params: none.
-- Units: amount in currency, exact.
-- Fails: never; an amount beyond DECIMAL(38, 18) is an error of the engine.
with

sums as (

    select
        record_type,
        payer_account_id as billing_account_id,
        linked_account_id as sub_account_id,
        invoice_id,
        currency,
        cast(sum(un_blended_cost) as decimal(38, 18)) as amount,
        count(*) as row_count,
        min(row_number) as first_row,
    from raw_rows
    group by
        record_type,
        payer_account_id,
        linked_account_id,
        invoice_id,
        currency

)

select * from sums
