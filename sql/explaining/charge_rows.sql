-- What: the vendor's rows behind some charges.
-- Grain: one vendor row.
-- Keys: charge_id, x_file_sha256, row_number.
-- Inputs: wanted_charges (columns of priced_line_items), delivery_rows (vendor_charges columns of their deliveries).
-- Params: none.
-- Units: amounts in billing_currency, quantity in pricing_unit.
-- Fails: never. What a row shares with its charge is compared before the key, because the key of ten million rows costs
--     more than reading them.
with

wanted_charges as (
    select * from wanted_charges
),

delivery_rows as (
    select * from delivery_rows
),

usage_keys as (
    select distinct
        delivery_id,
        sub_account_id,
        period_start,
        charge_nature,
        charge_category,
        unit,
        currency,
    from wanted_charges
    where line_number is null
),

candidates as (
    select
        delivery_rows.*,
        usage_charge_id(
            delivery_rows.delivery_id,
            delivery_rows.sub_account_id,
            delivery_rows.sku_id,
            delivery_rows.service_name,
            delivery_rows.service_category,
            cast(delivery_rows.charge_period_start as date),
            delivery_rows.charge_category,
            delivery_rows.charge_class,
            delivery_rows.x_charge_nature,
            delivery_rows.pricing_unit,
            delivery_rows.billing_currency
        ) as charge_id,
    from delivery_rows
    inner join usage_keys
        on
            delivery_rows.delivery_id = usage_keys.delivery_id
            and delivery_rows.sub_account_id is not distinct from usage_keys.sub_account_id
            and cast(delivery_rows.charge_period_start as date) = usage_keys.period_start
            and delivery_rows.x_charge_nature = usage_keys.charge_nature
            and delivery_rows.charge_category = usage_keys.charge_category
            and delivery_rows.pricing_unit is not distinct from usage_keys.unit
            and delivery_rows.billing_currency = usage_keys.currency
),

usage_rows as (
    select * from candidates
    where candidates.charge_id in (select wanted_charges.charge_id from wanted_charges)
),

item_rows as (
    select
        delivery_rows.*,
        wanted_charges.charge_id,
    from delivery_rows
    inner join wanted_charges
        on
            delivery_rows.delivery_id = wanted_charges.delivery_id
            and delivery_rows.x_line_number = wanted_charges.line_number
),

all_rows as (
    select * from usage_rows
    union all
    select * from item_rows
),

charge_rows as (
    select
        charge_id,
        delivery_id,
        x_file_name as file_name,
        x_file_sha256 as file_sha256,
        row_number,
        x_row_key as row_key,
        x_line_item_type as line_item_type,
        x_usage_type as usage_type,
        charge_period_start,
        charge_description as description,
        resource_id,
        pricing_quantity as quantity,
        pricing_unit as unit,
        billed_cost,
        list_cost,
        billing_currency as currency,
        sku_id,
        service_name,
        service_category,
        x_note as note,
        x_rounded_amounts as rounded_amounts,
        x_order_id as order_id,
        x_ordered_at as ordered_at,
        x_issued_at as issued_at,
        x_invoice_date as invoice_date,
        x_credits_invoice_number as credits_invoice_number,
        x_credits_line_number as credits_line_number,
    from all_rows
)

select * from charge_rows
