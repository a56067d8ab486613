-- What: the first vendor rows of a delivery whose charge is not priced once, with all its rows and their cost.
-- Grain: account and row, three at most.
-- Keys: source, billing_account_id, billing_period, currency, position.
-- Inputs: charged_rows (vendor rows of the accounts with their charge_id), priced_charges (charge_id, total_cost and
--     row_count of what was attributed).
-- Params: none.
-- Units: cost in currency.
-- Fails: never.
with

charged_rows as (
    select * from charged_rows
),

charges as (
    select
        charge_id,
        sum(cost) as cost,
        count(*) as row_count,
    from charged_rows
    group by charge_id
),

priced as (
    select
        charge_id,
        sum(total_cost) as cost,
        sum(row_count) as row_count,
    from priced_charges
    group by charge_id
),

wrong as (
    select charges.charge_id
    from charges
    left join priced
        on charges.charge_id = priced.charge_id
    where
        priced.cost is distinct from charges.cost
        or priced.row_count is distinct from charges.row_count
),

ranked as (
    select
        charged_rows.source,
        charged_rows.billing_account_id,
        charged_rows.billing_period,
        charged_rows.currency,
        charged_rows.file_name,
        charged_rows.row_number,
        charged_rows.cost,
        row_number() over (
            partition by
                charged_rows.source,
                charged_rows.billing_account_id,
                charged_rows.billing_period,
                charged_rows.currency
            order by charged_rows.file_name, charged_rows.row_number
        ) as position,
    from charged_rows
    inner join wrong
        on charged_rows.charge_id = wrong.charge_id
),

found as (
    select
        source,
        billing_account_id,
        billing_period,
        currency,
        file_name,
        row_number,
        cost,
        position,
    from ranked
    where position <= 3
)

select * from found
order by
    source,
    billing_account_id,
    billing_period,
    currency,
    position
