-- Map the charges of an AWS detailed billing report to the canonical columns of vendor_charges.
--
-- Grain: one row per charge of the file, in file order. InvoiceTotal, StatementTotal, AccountTotal and Rounding rows
--     are no charges and are left out here; aws_dbr_sums.sql adds them up, and the charges must agree with them.
-- Keys: x_row_key = RecordId, unique within one delivery.
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/aws_dbr.py, and row_number, tags.
-- Params: $source, $file_name, $file_sha256, $file_set_sha256 (hex), $billing_month (YYYY-MM).
-- Units: amounts in billing_currency (of the source: the file has none), exact; instants in UTC, ends exclusive.
--     The report has no unit of quantity and no public price.
-- Fails: never on values that fit the declaration.
--
-- PayerLineItem rows beside LinkedLineItem rows say the same a second time; that shows only at the end of the file, so
-- they are mapped here and removed by resources/control_rows.py. A PayerLineItem is about the payer's own account.
-- InvoiceID is 'Estimated' until the month is final: then there is no invoice id. A blank date is the month's.
-- sku_id: ProductName, UsageType and Operation together say what was used; null where the row names no usage type.
--
-- x_charge_nature, first rule that holds. The report has no line item type, so descriptions decide:
--   tax               no usage type, and its description says tax, VAT or GST.
--   marketplace_fee   its description begins 'AWS Marketplace', or its usage type is one of the marketplace ('MP:').
--   credit            negative, and its description says credit or refund.
--   partner_discount  not positive, and its description says discount of a partner or private agreement.
--   rounding          no usage type, and its description says rounding.
--   free_tier         costs exactly nothing, with the same words as in the Cost and Usage Report.
--   usage             everything else.
with

vendor_rows as (

    select * from raw_rows
    where record_type in ('LineItem', 'LinkedLineItem', 'PayerLineItem')

),

described as (

    select
        *,
        lower(coalesce(item_description, '')) as lower_description,
        $billing_month as billing_period,
        cast($billing_month || '-01 00:00:00+00' as timestamp with time zone) as period_start,
        cast($billing_month || '-01 00:00:00+00' as timestamp with time zone) + interval 1 month as period_end,
    from vendor_rows

),

classified as (

    select
        *,
        case
            when usage_type is null and regexp_matches(lower_description, '\b(tax|vat|gst)\b') then 'tax'
            when
                lower_description like 'aws marketplace%'
                or regexp_matches(coalesce(usage_type, ''), '(^|-)MP:')
                then 'marketplace_fee'
            when un_blended_cost < 0 and regexp_matches(lower_description, '\b(credits?|refunds?)\b') then 'credit'
            when
                un_blended_cost <= 0
                and regexp_matches(lower_description, '\bdiscount\b')
                and regexp_matches(
                    lower_description,
                    '\b(partner|reseller|distributor|solution provider|spp|edp|enterprise|private)\b'
                )
                then 'partner_discount'
            when usage_type is null and regexp_matches(lower_description, '\brounding\b') then 'rounding'
            when
                un_blended_cost = 0
                and (
                    regexp_matches(lower_description, '\bfree\b')
                    or regexp_matches(lower_description, '^(\$|usd ?)0(\.0+)? .*\bfirst\b')
                    or regexp_matches(coalesce(usage_type, ''), '\bFree[A-Z]')
                )
                then 'free_tier'
            else 'usage'
        end as charge_nature,
    from described

),

categorised as (

    select
        *,
        case
            when charge_nature = 'tax' then 'Tax'
            when charge_nature = 'credit' then 'Credit'
            when charge_nature in ('partner_discount', 'rounding') then 'Adjustment'
            when usage_type is null or lower_description like 'sign up charge%' then 'Purchase'
            else 'Usage'
        end as charge_category,
    from classified

),

canonical as (

    select
        $source || '/' || payer_account_id || '/' || billing_period || '/' || left($file_set_sha256, 12)
            as delivery_id,
        $source as source,
        row_number,
        $file_name as x_file_name,
        $file_sha256 as x_file_sha256,
        payer_account_id as billing_account_id,
        case
            when record_type = 'PayerLineItem' then coalesce(linked_account_id, payer_account_id)
            else linked_account_id
        end as sub_account_id,
        billing_period,
        period_start as billing_period_start,
        period_end as billing_period_end,
        coalesce(usage_start_date, period_start) as charge_period_start,
        coalesce(usage_end_date, period_end) as charge_period_end,
        charge_category,
        case when usage_start_date < period_start then 'Correction' end as charge_class,
        item_description as charge_description,
        case when charge_category = 'Usage' then 'Usage-Based' else 'One-Time' end as charge_frequency,
        product_name as service_name,
        product_name as service_category,
        case when usage_type is not null then concat_ws('/', product_name, usage_type, operation) end as sku_id,
        rate_id as sku_price_id,
        nullif(regexp_extract(availability_zone, '^([a-z]+(-[a-z]+)+-\d+)[a-z]?$', 1), '') as region_id,
        resource_id,
        tags,
        usage_quantity as pricing_quantity,
        un_blended_cost as billed_cost,
        currency as billing_currency,
        case when lower(invoice_id) <> 'estimated' then invoice_id end as invoice_id,
        'AWS' as provider_name,
        record_id as x_row_key,
        record_type as x_line_item_type,
        usage_type as x_usage_type,
        operation as x_operation,
        charge_nature as x_charge_nature,
    from categorised

)

select * from canonical
