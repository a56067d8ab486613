-- What: the first rows to look at where nothing explains a difference: those that cost exactly what is too much, else
--     the dearest of the invoice or delivery.
-- Grain: difference (gap_number) and row, three at most.
-- Keys: gap_number, position.
-- Inputs: gaps (source, account, period, currency, invoice_id, is_whole, is_tax, amount), compared_rows.
-- Params: none.
-- Units: cost in currency.
-- Fails: never.
with

gaps as (
    select * from gaps
),

compared_rows as (
    select * from compared_rows
),

gap_rows as (
    select
        gaps.gap_number,
        gaps.amount,
        compared_rows.x_file_name as file_name,
        compared_rows.row_number,
        case when gaps.is_tax then compared_rows.tax_cost else compared_rows.net_cost end as cost,
    from gaps
    inner join compared_rows
        on
            gaps.source = compared_rows.source
            and gaps.billing_account_id = compared_rows.billing_account_id
            and gaps.billing_period = compared_rows.billing_period
            and gaps.currency = compared_rows.billing_currency
            and (gaps.is_whole or gaps.invoice_id is not distinct from compared_rows.invoice_id)
),

ranked as (
    select
        gap_number,
        file_name,
        row_number,
        cost,
        row_number() over (
            partition by gap_number
            order by case when cost = -amount then 0 else 1 end, abs(cost) desc, file_name, row_number
        ) as position,
    from gap_rows
    where cost <> 0
),

suspects as (
    select
        gap_number,
        file_name,
        row_number,
        cost,
        position,
    from ranked
    where position <= 3
)

select * from suspects
order by
    gap_number,
    position
