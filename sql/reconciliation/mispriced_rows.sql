-- What: rows of an open difference whose cost is not what their own price and exchange rate make.
-- Grain: difference (gap_number) with such rows.
-- Keys: gap_number.
-- Inputs: gaps (source, account, period, currency, invoice_id, is_whole, is_tax), compared_rows.
-- Params: none.
-- Units: amount in currency: expected less billed, all rows; cost is what the first of them bills.
-- Fails: never.
with

gaps as (
    select * from gaps
    where not is_tax
),

compared_rows as (
    select * from compared_rows
    where x_expected_cost is not null
),

ranked as (
    select
        gaps.gap_number,
        compared_rows.x_file_name as file_name,
        compared_rows.row_number,
        compared_rows.net_cost as cost,
        cast(
            sum(compared_rows.x_expected_cost - compared_rows.net_cost) over (partition by gaps.gap_number)
            as decimal(38, 18)
        ) as amount,
        row_number() over (
            partition by gaps.gap_number
            order by compared_rows.x_file_name, compared_rows.row_number
        ) as position,
    from gaps
    inner join compared_rows
        on
            gaps.source = compared_rows.source
            and gaps.billing_account_id = compared_rows.billing_account_id
            and gaps.billing_period = compared_rows.billing_period
            and gaps.currency = compared_rows.billing_currency
            and (gaps.is_whole or gaps.invoice_id is not distinct from compared_rows.invoice_id)
),

found as (
    select
        gap_number,
        amount,
        file_name,
        row_number,
        cost,
    from ranked
    where position = 1
)

select * from found
order by gap_number
