-- Find the first charge of a detailed billing report that cannot be one of its month.
--
-- Grain: no row when all is well, else the first offending row of raw_rows.
-- Keys: row_number.
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/aws_dbr.py, and row_number.
-- Params: $billing_month, the month YYYY-MM of the file.
-- Units: instants in UTC; column_name is the declared column, cell_value its text.
-- Fails: never.
--
-- A charge must name its payer, and must start within the month: a renamed file would be billed as another month.
-- Only a negative row (credit, refund) may start in an earlier month. Blank dates are those of tax rows.
with

months as (

    select
        row_number,
        payer_account_id,
        usage_start_date,
        un_blended_cost,
        strftime(usage_start_date, '%Y-%m') as row_period,
    from raw_rows
    where record_type in ('LineItem', 'LinkedLineItem', 'PayerLineItem')

),

faults as (

    select
        row_number,
        case
            when payer_account_id is null then 'payer_account_id'
            else 'usage_start_date'
        end as column_name,
        case
            when payer_account_id is not null then strftime(usage_start_date, '%Y-%m-%d %H:%M:%S')
        end as cell_value,
        case
            when payer_account_id is null then 'a charge must name its payer account'
            else 'the charge starts outside ' || $billing_month || ', the month of the file'
        end as reason,
    from months
    where
        payer_account_id is null
        or row_period > $billing_month
        or (row_period < $billing_month and un_blended_cost >= 0)
    order by row_number
    limit 1

)

select * from faults
