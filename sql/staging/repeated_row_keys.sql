-- Find the first row of a delivery whose key another row of it already has.
--
-- Grain: no row when keys are unique, else the first repetition by file name and row number.
-- Keys: x_file_name, row_number.
-- Inputs: keyed_rows, canonical rows of all chunks of one delivery; suspect_hashes, key_hash of the keys whose hashes
--     meet: only these few are compared by their text.
-- Params: none.
-- Units: none.
-- Fails: never.
with

suspects as (

    select
        x_file_name,
        row_number,
        x_row_key,
    from keyed_rows
    where hash(x_row_key) in (select suspect_hashes.key_hash from suspect_hashes)

),

numbered as (

    select
        x_file_name,
        row_number,
        x_row_key,
        first_value(x_file_name) over same_key as first_file_name,
        first_value(row_number) over same_key as first_row_number,
        row_number() over same_key as occurrence,
    from suspects
    window same_key as (partition by x_row_key order by x_file_name, row_number)

),

repetitions as (

    select
        x_file_name,
        row_number,
        x_row_key,
        first_file_name,
        first_row_number,
    from numbered
    where occurrence > 1
    order by x_file_name, row_number
    limit 1

)

select * from repetitions
