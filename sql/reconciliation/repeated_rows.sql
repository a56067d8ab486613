-- What: rows of an open difference that stand in the delivery more than once, whatever their row key.
-- Grain: difference (gap_number) and group of identical rows with a cost.
-- Keys: gap_number, file_name, row_number (of the second of the rows).
-- Inputs: gaps (source, account, period, currency, invoice_id, is_whole, is_tax, amount), compared_rows with twin_key.
-- Params: none.
-- Units: amount in currency: of all rows of the group after the first; every_amount adds the groups up.
-- Fails: never. Of groups that cannot be the whole difference only the first stays, as the place to begin looking.
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
        gaps.amount as gap_amount,
        compared_rows.twin_key,
        compared_rows.x_file_name as file_name,
        compared_rows.row_number,
        case when gaps.is_tax then compared_rows.tax_cost else compared_rows.net_cost end as cost,
        row_number() over (
            partition by gaps.gap_number, compared_rows.twin_key
            order by compared_rows.x_file_name, compared_rows.row_number
        ) as occurrence,
    from gaps
    inner join compared_rows
        on
            gaps.source = compared_rows.source
            and gaps.billing_account_id = compared_rows.billing_account_id
            and gaps.billing_period = compared_rows.billing_period
            and gaps.currency = compared_rows.billing_currency
            and (gaps.is_whole or gaps.invoice_id is not distinct from compared_rows.invoice_id)
),

twins as (
    select
        gap_number,
        gap_amount,
        twin_key,
        cast(sum(cost) as decimal(38, 18)) as amount,
    from gap_rows
    where occurrence > 1 and cost <> 0
    group by
        gap_number,
        gap_amount,
        twin_key
),

ranked as (
    select
        twins.gap_number,
        twins.amount,
        cast(sum(twins.amount) over (partition by twins.gap_number) as decimal(38, 18)) as every_amount,
        gap_rows.file_name,
        gap_rows.row_number,
        gap_rows.cost,
        -- Totals are rounded: what is less than a unit away may be the difference.
        abs(twins.gap_amount + twins.amount) < 1 as is_candidate,
        row_number() over (
            partition by twins.gap_number
            order by abs(twins.gap_amount + twins.amount), gap_rows.file_name, gap_rows.row_number
        ) as position,
    from twins
    inner join gap_rows
        on
            twins.gap_number = gap_rows.gap_number
            and twins.twin_key = gap_rows.twin_key
            and gap_rows.occurrence = 2
),

repeated as (
    select
        gap_number,
        amount,
        every_amount,
        file_name,
        row_number,
        cost,
    from ranked
    where
        position = 1
        or (is_candidate and position <= 20)
)

select * from repeated
order by
    gap_number,
    file_name,
    row_number
