-- Find the month of a detailed billing report whose file name does not say it.
--
-- Grain: one row.
-- Keys: none.
-- Inputs: raw_rows, the first rows of the file, typed after the declaration in billing_pipeline/vendors/aws_dbr.py.
-- Params: none.
-- Units: billing_month is YYYY-MM in UTC; null where no charge has a date.
-- Fails: never. Credits do not count: they may concern an earlier month. Every row is compared with the month
--     afterwards (aws_dbr_faults.sql).
with

charges as (

    select usage_start_date
    from raw_rows
    where
        record_type in ('LineItem', 'LinkedLineItem', 'PayerLineItem')
        and un_blended_cost >= 0

),

period as (

    select strftime(min(usage_start_date), '%Y-%m') as billing_month
    from charges

)

select * from period
