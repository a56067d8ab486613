-- What: the vendor's files behind some charges, with the rows in each.
-- Grain: charge and file.
-- Keys: charge_id, file_sha256.
-- Inputs: charge_rows (sql/explaining/charge_rows.sql).
-- Params: none.
-- Units: billed_cost in currency.
-- Fails: never; a charge without any row is absent.
with

charge_rows as (
    select * from charge_rows
),

files as (
    select
        charge_id,
        delivery_id,
        file_name,
        file_sha256,
        currency,
        count(*) as row_count,
        cast(sum(billed_cost) as decimal(38, 18)) as billed_cost,
        array_sort(array_agg(row_number)) as row_numbers,
    from charge_rows
    group by
        charge_id,
        delivery_id,
        file_name,
        file_sha256,
        currency
)

select * from files
order by
    charge_id,
    file_name,
    file_sha256
