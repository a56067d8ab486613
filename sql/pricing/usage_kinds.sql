-- What: the distinct texts of the sums of usage. There are a few ten thousand where there are a million sums, so that
--     sums carry a number in their place while they are sorted.
-- Grain: everything about a charge but its day and its amounts.
-- Keys: kind_id; also all other columns together.
-- Inputs: usage_sums.
-- Params: none.
-- Units: none.
-- Fails: never; every sum is of exactly one kind. kind_id is a key of this session only.
with

usage_sums as (
    select * from usage_sums
),

distinct_texts as (
    select distinct
        delivery_id,
        sub_account_id,
        sku_id,
        service_name,
        service_category,
        charge_category,
        charge_class,
        charge_nature,
        unit,
        currency,
        sub_account_name,
        description,
        invoice_number,
    from usage_sums
),

kinds as (
    select
        row_number() over () as kind_id,
        *,
    from distinct_texts
)

select * from kinds
