-- Map rows of a FOCUS file (1.0 to 1.4) to the canonical columns of vendor_charges, which carry its names.
--
-- Grain: one row per row of the file, in file order; no row is dropped.
-- Keys: none; FOCUS declares no key of a row.
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/focus.py, and row_number.
-- Params: $source, $file_name, $file_sha256, $file_set_sha256 (hex).
-- Units: amounts in billing_currency, exact; instants in UTC, ends exclusive; quantities in pricing_unit.
-- Fails: never on values that fit the declaration.
--
-- x_charge_nature, first rule that holds:
--   tax              ChargeCategory Tax.
--   credit           ChargeCategory Credit.
--   rounding         ChargeCategory Adjustment whose description says rounding; other adjustments are usage.
--   marketplace_fee  FOCUS has no such mark. AWS alone can be told: its description begins 'AWS Marketplace' and the
--                    publisher is a third party (as in the published sample). A publisher who merely differs from the
--                    invoice issuer is no proof: AWS Canada and AWS EMEA differ too.
--   free_tier        costs exactly nothing and its description says free, or is the zero-priced first step of a tier;
--                    the same words as in the AWS report. Its list cost may be positive.
--   usage            everything else.
with

vendor_rows as (

    select * from raw_rows

),

described as (

    select
        *,
        lower(coalesce(charge_description, '')) as lower_description,
        coalesce(provider_name, service_provider_name) as provider,
        coalesce(publisher_name, host_provider_name) as publisher,
        strftime(billing_period_start, '%Y-%m') as billing_period,
    from vendor_rows

),

classified as (

    select
        *,
        case
            when charge_category = 'Tax' then 'tax'
            when charge_category = 'Credit' then 'credit'
            when charge_category = 'Adjustment' and regexp_matches(lower_description, '\brounding\b') then 'rounding'
            when
                lower_description like 'aws marketplace %'
                and lower(publisher) not like 'amazon%'
                and lower(publisher) not like 'aws%'
                then 'marketplace_fee'
            when
                billed_cost = 0
                and (
                    regexp_matches(lower_description, '\bfree\b')
                    or regexp_matches(lower_description, '^(\$|usd ?)0(\.0+)? .*\bfirst\b')
                    or regexp_matches(lower_description, '\bfreeeventsrecorded\b')
                )
                then 'free_tier'
            else 'usage'
        end as charge_nature,
    from described

),

canonical as (

    select
        $source || '/' || billing_account_id || '/' || billing_period || '/' || left($file_set_sha256, 12)
            as delivery_id,
        $source as source,
        row_number,
        $file_name as x_file_name,
        $file_sha256 as x_file_sha256,
        billing_account_id,
        billing_account_name,
        sub_account_id,
        sub_account_name,
        billing_period,
        billing_period_start,
        billing_period_end,
        charge_period_start,
        charge_period_end,
        charge_category,
        charge_class,
        charge_description,
        charge_frequency,
        service_name,
        service_category,
        sku_id,
        sku_price_id,
        region_id,
        resource_id,
        tags,
        pricing_quantity,
        pricing_unit,
        billed_cost,
        effective_cost,
        list_cost,
        contracted_cost,
        billing_currency,
        invoice_id,
        invoice_issuer_name,
        provider as provider_name,
        publisher as publisher_name,
        cast(null as varchar) as x_row_key,
        cast(null as varchar) as x_line_item_type,
        cast(null as varchar) as x_usage_type,
        cast(null as varchar) as x_operation,
        cast(null as varchar) as x_billing_entity,
        charge_nature as x_charge_nature,
        cast(null as date) as x_invoice_date,
        cast(null as timestamp with time zone) as x_issued_at,
        cast(null as varchar) as x_invoice_type,
        cast(null as varchar) as x_invoice_status,
        cast(null as varchar) as x_order_channel,
        cast(null as varchar) as x_origin,
        cast(null as varchar) as x_credits_invoice_number,
        cast(null as varchar) as x_credits_line_number,
        cast(null as varchar) as x_line_number,
        cast(null as varchar) as x_product_type,
        cast(null as boolean) as x_is_pay_per_use,
        cast(null as integer) as x_installment_number,
        cast(null as integer) as x_installment_count,
        cast(null as date) as x_start_date,
        cast(null as date) as x_end_date,
        cast(null as decimal(28, 9)) as x_unit_cost,
        cast(null as decimal(28, 9)) as x_list_price,
        cast(null as varchar) as x_order_id,
        cast(null as timestamp with time zone) as x_ordered_at,
        cast(null as decimal(38, 18)) as x_net_total,
        cast(null as decimal(38, 18)) as x_tax_total,
    from classified

)

select * from canonical
