-- Map rows of Azure cost details (partner and EA column sets, actual cost) to the canonical columns of vendor_charges.
--
-- Grain: one row per row of the file, in file order; no row is dropped.
-- Keys: none; the vendor gives records no id (Microsoft Learn, "Understand cost details fields").
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/azure_costs.py, and row_number.
-- Params: $source, $file_name, $file_sha256, $file_set_sha256 (hex).
-- Units: amounts in billing_currency; instants in UTC, ends exclusive (the file's end dates are inclusive); quantities
--     in pricing_unit.
-- Fails: an SRP or a converted cost of 10^19 or more is an error of the whole file; else never on values that fit the
--     declaration.
--
-- sub_account_id: the customer's tenant (partner), else the subscription (EA). Reservations and marketplace purchases
--     of the partner set have a tenant and often no subscription.
-- list_cost (SRP): paygCostInBillingCurrency; absent, PayGPrice x quantity x exchangeRatePricingToBilling, which is how
--     Microsoft defines it; without a rate only where both currencies are the same or the file (EA) names one only.
--     Usage that a reservation or savings plan covers (cost 0, the purchase row is the charge): its cost, so that a
--     customer who pays the SRP does not pay twice. An SRP of zero beside a cost is no price: null.
-- x_expected_cost: costInPricingCurrency x exchangeRatePricingToBilling, where that is not the cost; billed is the cost
--     all the same. Reconciliation uses it to explain a difference from the vendor's total.
-- x_charge_nature, first rule that holds:
--   tax              ChargeType Tax.
--   rounding         ChargeType RoundingAdjustment.
--   marketplace_fee  PublisherType Marketplace: a third party's fee that passes through, its refunds too.
--   credit           ChargeType Refund or Credit.
--   free_tier        costs exactly nothing, is covered by no benefit, and its meter says free.
--   usage            everything else; what is purchased too.
-- charge_class Correction: the row names an earlier invoice (previousInvoiceId) or is a Refund.
with

vendor_rows as (

    select * from raw_rows

),

named as (

    select
        *,
        strftime(billing_period_start_date, '%Y-%m') as billing_period,
        lower(regexp_replace(charge_type, '[^A-Za-z]', '', 'g')) as charge_word,
        coalesce(lower(pricing_model) in ('reservation', 'savingsplan'), false)
        and cost_in_billing_currency = 0 as is_covered,
        regexp_matches(lower(coalesce(meter_name, '')), '\bfree\b') as says_free,
        coalesce(nullif(meter_category, 'Unassigned'), product_name, product_order_name, publisher_name)
            as service,
        coalesce(
            exchange_rate_pricing_to_billing,
            case when coalesce(pricing_currency = billing_currency, true) then 1 end
        ) as exchange_rate,
        nullif(trim(tags), '') as tag_text,
    from vendor_rows

),

measured as (

    select
        *,
        case
            when is_covered then cost_in_billing_currency
            when payg_cost_in_billing_currency is not null then payg_cost_in_billing_currency
            else exact_product(exact_product(pay_g_price, exchange_rate), quantity)
        end as payg_cost,
        exact_product(cost_in_pricing_currency, exchange_rate) as expected_cost,
        case when tag_text like '{%' then tag_text else '{' || tag_text || '}' end as tag_object,
        nullif(
            concat_ws(
                '; ',
                'costInBillingCurrency=' || cost_in_billing_currency_unrounded,
                'costInPricingCurrency=' || cost_in_pricing_currency_unrounded,
                'quantity=' || quantity_unrounded,
                'paygCostInBillingCurrency=' || payg_cost_in_billing_currency_unrounded,
                'PayGPrice=' || pay_g_price_unrounded,
                'exchangeRatePricingToBilling=' || exchange_rate_pricing_to_billing_unrounded
            ),
            ''
        ) as rounded_amounts,
    from named

),

classified as (

    select
        *,
        case
            when charge_word = 'tax' then 'Tax'
            when charge_word = 'roundingadjustment' then 'Adjustment'
            when charge_word in ('refund', 'credit') then 'Credit'
            when charge_word = 'purchase' then 'Purchase'
            else 'Usage'
        end as charge_category,
        case
            when charge_word = 'tax' then 'tax'
            when charge_word = 'roundingadjustment' then 'rounding'
            when lower(publisher_type) = 'marketplace' then 'marketplace_fee'
            when charge_word in ('refund', 'credit') then 'credit'
            when cost_in_billing_currency = 0 and not is_covered and says_free then 'free_tier'
            else 'usage'
        end as charge_nature,
    from measured

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
        coalesce(customer_tenant_id, subscription_id) as sub_account_id,
        case when customer_tenant_id is null then subscription_name else customer_name end as sub_account_name,
        billing_period,
        billing_period_start_date as billing_period_start,
        billing_period_end_date + interval 1 day as billing_period_end,
        date as charge_period_start,
        case
            when charge_category in ('Purchase', 'Credit') and service_period_end_date > date
                then service_period_end_date + interval 1 day
            else date + interval 1 day
        end as charge_period_end,
        charge_category,
        case when previous_invoice_id is not null or charge_word = 'refund' then 'Correction' end as charge_class,
        coalesce(
            product_name, plan_name, product_order_name, reservation_name, benefit_name, meter_name
        ) as charge_description,
        case lower(frequency)
            when 'usagebased' then 'Usage-Based'
            when 'recurring' then 'Recurring'
            when 'onetime' then 'One-Time'
            else frequency
        end as charge_frequency,
        coalesce(service, consumed_service) as service_name,
        coalesce(service_family, service, consumed_service) as service_category,
        coalesce(product_id, meter_id, part_number) as sku_id,
        case when product_id is null then part_number else meter_id end as sku_price_id,
        coalesce(resource_location, meter_region) as region_id,
        resource_id,
        -- EA writes the members without their braces. What is no JSON even so is kept whole, under one key.
        case
            when tag_text is null then null
            when json_valid(tag_object) then tag_object
            else cast(json_object('tags', tag_text) as varchar)
        end as tags,
        quantity as pricing_quantity,
        unit_of_measure as pricing_unit,
        cost_in_billing_currency as billed_cost,
        cast(null as decimal(38, 18)) as effective_cost,
        case when payg_cost <> 0 or cost_in_billing_currency = 0 then payg_cost end as list_cost,
        cast(null as decimal(38, 18)) as contracted_cost,
        billing_currency,
        invoice_id,
        'Microsoft' as invoice_issuer_name,
        'Microsoft' as provider_name,
        publisher_name,
        cast(null as varchar) as x_row_key,
        charge_type as x_line_item_type,
        meter_name as x_usage_type,
        pricing_model as x_operation,
        publisher_type as x_billing_entity,
        charge_nature as x_charge_nature,
        rounded_amounts as x_rounded_amounts,
        -- Both are doubles in the file: a part in ten thousand is more than their last digits.
        case
            when
                abs(expected_cost - cost_in_billing_currency) * cast(10000 as decimal(5, 0))
                > abs(cost_in_billing_currency)
                then expected_cost
        end as x_expected_cost,
    from classified

)

select * from canonical
