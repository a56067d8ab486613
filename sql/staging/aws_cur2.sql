-- Map rows of an AWS Cost and Usage Report 2.0 to the canonical columns of vendor_charges.
--
-- Grain: one row per row of the file, in file order; no row is dropped.
-- Keys: x_row_key = identity_line_item_id | identity_time_interval, unique within one delivery; the next renames rows.
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/aws_cur2.py, and row_number; the maps
--     product and resource_tags as JSON text.
-- Params: $source, $file_name, $file_sha256, $file_set_sha256 (hex).
-- Units: amounts in billing_currency, exact; instants in UTC, ends exclusive; quantities in pricing_unit.
-- Fails: never on values that fit the declaration.
--
-- x_charge_nature: the rules of the legacy report, word for word; they and their sources are written in aws_cur.sql,
-- and a test holds the two together.
with

vendor_rows as (

    select * from raw_rows

),

described as (

    select
        *,
        lower(coalesce(line_item_line_item_description, '')) as lower_description,
        strftime(bill_billing_period_start_date, '%Y-%m') as billing_period,
    from vendor_rows

),

classified as (

    select
        *,
        case
            when line_item_line_item_type = 'Tax' then 'Tax'
            when line_item_line_item_type in ('Credit', 'Refund') then 'Credit'
            when line_item_line_item_type in ('Fee', 'RIFee', 'SavingsPlanUpfrontFee', 'SavingsPlanRecurringFee')
                then 'Purchase'
            when line_item_line_item_type like '%Discount' or line_item_line_item_type = 'Rounding' then 'Adjustment'
            else 'Usage'
        end as charge_category,
        case
            when line_item_line_item_type = 'Tax' then 'tax'
            when bill_billing_entity = 'AWS Marketplace' then 'marketplace_fee'
            when line_item_line_item_type in ('Credit', 'Refund') then 'credit'
            when
                line_item_line_item_type in (
                    'SppDiscount', 'EdpDiscount', 'PrivateRateDiscount', 'DistributorDiscount'
                )
                then 'partner_discount'
            when
                line_item_line_item_type = 'Rounding'
                or (
                    line_item_line_item_type not like '%Usage'
                    and regexp_matches(lower_description, '\brounding\b')
                )
                then 'rounding'
            when
                line_item_unblended_cost = 0
                and (
                    regexp_matches(lower_description, '\bfree\b')
                    or regexp_matches(lower_description, '^(\$|usd ?)0(\.0+)? .*\bfirst\b')
                    or regexp_matches(coalesce(line_item_usage_type, ''), '\bFree[A-Z]')
                )
                then 'free_tier'
            else 'usage'
        end as charge_nature,
    from described

),

canonical as (

    select
        $source || '/' || bill_payer_account_id || '/' || billing_period || '/' || left($file_set_sha256, 12)
            as delivery_id,
        $source as source,
        row_number,
        $file_name as x_file_name,
        $file_sha256 as x_file_sha256,
        bill_payer_account_id as billing_account_id,
        bill_payer_account_name as billing_account_name,
        line_item_usage_account_id as sub_account_id,
        line_item_usage_account_name as sub_account_name,
        billing_period,
        bill_billing_period_start_date as billing_period_start,
        bill_billing_period_end_date as billing_period_end,
        line_item_usage_start_date as charge_period_start,
        line_item_usage_end_date as charge_period_end,
        charge_category,
        case when line_item_line_item_type = 'Refund' then 'Correction' end as charge_class,
        line_item_line_item_description as charge_description,
        case
            when charge_category = 'Usage' then 'Usage-Based'
            when line_item_line_item_type in ('RIFee', 'SavingsPlanRecurringFee') then 'Recurring'
            else 'One-Time'
        end as charge_frequency,
        coalesce(product_product_name, json_extract_string(product, '$.product_name'), line_item_product_code)
            as service_name,
        coalesce(product_product_family, line_item_product_code) as service_category,
        product_sku as sku_id,
        pricing_rate_code as sku_price_id,
        coalesce(product_region_code, json_extract_string(product, '$.region')) as region_id,
        line_item_resource_id as resource_id,
        resource_tags as tags,
        line_item_usage_amount as pricing_quantity,
        pricing_unit,
        line_item_unblended_cost as billed_cost,
        pricing_public_on_demand_cost as list_cost,
        line_item_currency_code as billing_currency,
        bill_invoice_id as invoice_id,
        bill_invoicing_entity as invoice_issuer_name,
        'AWS' as provider_name,
        identity_line_item_id || '|' || identity_time_interval as x_row_key,
        line_item_line_item_type as x_line_item_type,
        line_item_usage_type as x_usage_type,
        line_item_operation as x_operation,
        bill_billing_entity as x_billing_entity,
        charge_nature as x_charge_nature,
    from classified

)

select * from canonical
