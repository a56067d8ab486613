-- What: the sums of usage feeds with their texts again, in the order in which priced charges are kept.
-- Grain: one charge, as the input.
-- Keys: charge_id.
-- Inputs: ordered_sums, usage_kinds.
-- Params: none.
-- Units: as the input.
-- Fails: never drops a charge. The order holds where one thread reads this (`one_thread`).
with

ordered_sums as (
    select * from ordered_sums
),

usage_kinds as (
    select * from usage_kinds
),

sums as (
    select
        ordered_sums.charge_id,
        usage_kinds.delivery_id,
        usage_kinds.sub_account_id,
        usage_kinds.sku_id,
        usage_kinds.service_name,
        usage_kinds.service_category,
        ordered_sums.charge_day,
        usage_kinds.charge_category,
        usage_kinds.charge_class,
        usage_kinds.charge_nature,
        usage_kinds.unit,
        usage_kinds.currency,
        usage_kinds.sub_account_name,
        usage_kinds.description,
        usage_kinds.invoice_number,
        ordered_sums.quantity,
        ordered_sums.cost,
        ordered_sums.list_cost,
        ordered_sums.row_count,
    from ordered_sums
    inner join usage_kinds
        on ordered_sums.kind_id = usage_kinds.kind_id
)

select * from sums
