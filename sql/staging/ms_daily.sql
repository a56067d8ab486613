-- Map rows of Microsoft daily rated usage to the canonical columns of vendor_charges.
--
-- Grain: one row per row of the file, in file order; no row is dropped.
-- Keys: none; Microsoft gives rows no key.
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/ms_daily.py, and row_number.
-- Params: $source, $file_name, $file_sha256, $file_set_sha256 (hex), $billing_month (YYYY-MM, of the whole invoice).
-- Units: amounts in billing_currency, net of tax; instants in UTC, ends exclusive; quantities in pricing_unit.
-- Fails: a BillingPreTaxTotal of 10^13 or more with earned credit is an error of the whole file; else never on values
--     that fit the declaration.
--
-- sub_account_id: the customer's tenant (CustomerId without the API's `org:`), else the Azure subscription
--     (EntitlementId): a tenant is one customer, and old API answers leave it empty.
-- list_cost (SRP): BillingPreTaxTotal / (1 - partner earned credit), to 18 decimals, half away from zero. The credit
--     comes as a rate (0.15, the API) or in percent (15, the file): from 1 on it is percent. Unknown credit: no SRP.
-- x_charge_nature, first rule that holds:
--   credit     ChargeType says credit, or an Azure credit was applied (CreditPercentage above 0).
--   rounding   ChargeType says rounding.
--   free_tier  costs exactly nothing and its meter says free.
--   usage      everything else; marketplace meters too: no column of the file says which they are.
with

vendor_rows as (

    select * from raw_rows

),

named as (

    select
        *,
        nullif(regexp_replace(customer_id, '^org:', '', 'i'), '') as tenant_id,
        lower(coalesce(charge_type, '')) as charge_word,
        case
            when partner_earned_credit_percentage >= 1
                then try_cast(partner_earned_credit_percentage as decimal(18, 8)) * cast(0.01 as decimal(3, 2))
            else try_cast(partner_earned_credit_percentage as decimal(20, 10))
        end as earned_rate,
        case
            when tags is null then null
            when json_valid(tags) then tags
            when json_valid('{' || tags || '}') then '{' || tags || '}'
            else cast(json_object('tags', tags) as varchar)
        end as json_tags,
        cast($billing_month || '-01' as date) as first_day,
        date_trunc('day', usage_date) as usage_day,
    from vendor_rows

),

classified as (

    select
        *,
        before_credit(billing_pre_tax_total, earned_rate) as before_earned_credit,
        case
            when charge_word like '%credit%' or credit_percentage > 0 then 'credit'
            when charge_word like '%rounding%' then 'rounding'
            when billing_pre_tax_total = 0 and regexp_matches(lower(coalesce(meter_name, '')), '\bfree\b')
                then 'free_tier'
            else 'usage'
        end as charge_nature,
    from named

),

canonical as (

    select
        $source || '/' || partner_id || '/' || $billing_month || '/' || left($file_set_sha256, 12) as delivery_id,
        $source as source,
        row_number,
        $file_name as x_file_name,
        $file_sha256 as x_file_sha256,
        partner_id as billing_account_id,
        partner_name as billing_account_name,
        coalesce(tenant_id, entitlement_id) as sub_account_id,
        case when tenant_id is null then entitlement_description else customer_name end as sub_account_name,
        $billing_month as billing_period,
        cast(first_day as timestamp with time zone) as billing_period_start,
        cast(first_day + interval 1 month as timestamp with time zone) as billing_period_end,
        usage_day as charge_period_start,
        usage_day + interval 1 day as charge_period_end,
        case charge_nature when 'credit' then 'Credit' when 'rounding' then 'Adjustment' else 'Usage' end
            as charge_category,
        cast(null as varchar) as charge_class,
        coalesce(meter_name, sku_name, product_name) as charge_description,
        'Usage-Based' as charge_frequency,
        coalesce(product_name, meter_category, meter_name, meter_id) as service_name,
        coalesce(meter_category, 'Azure') as service_category,
        coalesce(product_id || coalesce(':' || sku_id, ''), meter_id) as sku_id,
        coalesce(product_id || ':' || sku_id || ':' || availability_id || '/', '') || meter_id as sku_price_id,
        resource_location as region_id,
        resource_uri as resource_id,
        json_tags as tags,
        quantity as pricing_quantity,
        coalesce(unit, unit_type) as pricing_unit,
        billing_pre_tax_total as billed_cost,
        cast(null as decimal(38, 18)) as effective_cost,
        before_earned_credit as list_cost,
        cast(null as decimal(38, 18)) as contracted_cost,
        billing_currency,
        invoice_number as invoice_id,
        'Microsoft' as invoice_issuer_name,
        'Microsoft' as provider_name,
        publisher_name,
        cast(null as varchar) as x_row_key,
        charge_type as x_line_item_type,
        meter_type as x_usage_type,
        consumed_service as x_operation,
        entitlement_id as x_billing_entity,
        charge_nature as x_charge_nature,
        nullif(
            concat_ws(
                '; ',
                'Quantity=' || quantity_unrounded,
                'BillingPreTaxTotal=' || billing_pre_tax_total_unrounded
            ),
            ''
        ) as x_rounded_amounts,
        case
            when partner_earned_credit_percentage is not null and before_earned_credit is null
                then 'the partner earned credit is no rate from 0 to 1: no SRP'
        end as x_note,
    from classified

)

select * from canonical
