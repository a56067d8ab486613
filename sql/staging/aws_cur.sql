-- Map rows of an AWS Cost and Usage Report (legacy) to the canonical columns of vendor_charges.
--
-- Grain: one row per row of the file, in file order; no row is dropped.
-- Keys: x_row_key = identity/LineItemId | identity/TimeInterval, unique within one delivery; the next renames rows.
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/aws_cur.py, and row_number, tags.
-- Params: $source, $file_name, $file_sha256, $file_set_sha256 (hex).
-- Units: amounts in billing_currency, exact; instants in UTC, ends exclusive; quantities in pricing_unit.
-- Fails: never on values that fit the declaration.
--
-- x_charge_nature, first rule that holds (AWS CUR data dictionary, line item types):
--   tax               LineItemType Tax: on the payer account, without usage type or rate.
--   marketplace_fee   BillingEntity AWS Marketplace: a third party's fee that passes through.
--   credit            Credit and Refund, also those that concern an earlier month.
--   partner_discount  what the vendor grants the reseller (SPP, EDP, private rates, distributor programme).
--   rounding          LineItemType Rounding, or a row that is no usage and says so in its description.
--   free_tier         costs exactly nothing and its description says free ('are free', 'under the free tier',
--                     'per free event recorded'), or is the zero-priced first step of a tier ('$0.00 per request -
--                     first 1,000,000 requests'), or its usage type says so ('USE1-FreeEventsRecorded'). Rows that
--                     merely cost nothing ('$0.000 per GB - data transfer in per month') stay usage. Derived from
--                     the descriptions of a real report of November 2023.
--   usage             everything else; SavingsPlanNegation too, which is negative: dropping it would count twice.
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
        cast(null as varchar) as billing_account_name,
        line_item_usage_account_id as sub_account_id,
        cast(null as varchar) as sub_account_name,
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
        coalesce(product_product_name, line_item_product_code) as service_name,
        coalesce(product_product_family, line_item_product_code) as service_category,
        product_sku as sku_id,
        pricing_rate_code as sku_price_id,
        coalesce(product_region_code, product_region) as region_id,
        line_item_resource_id as resource_id,
        tags,
        line_item_usage_amount as pricing_quantity,
        pricing_unit,
        line_item_unblended_cost as billed_cost,
        cast(null as decimal(38, 18)) as effective_cost,
        pricing_public_on_demand_cost as list_cost,
        cast(null as decimal(38, 18)) as contracted_cost,
        line_item_currency_code as billing_currency,
        bill_invoice_id as invoice_id,
        bill_invoicing_entity as invoice_issuer_name,
        'AWS' as provider_name,
        cast(null as varchar) as publisher_name,
        identity_line_item_id || '|' || identity_time_interval as x_row_key,
        line_item_line_item_type as x_line_item_type,
        line_item_usage_type as x_usage_type,
        line_item_operation as x_operation,
        bill_billing_entity as x_billing_entity,
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
