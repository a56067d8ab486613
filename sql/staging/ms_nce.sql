-- Map rows of a Microsoft new-commerce reconciliation to the canonical columns of vendor_charges.
--
-- Grain: one row per row of the file, in file order; no row is dropped, also none that removes a quantity.
-- Keys: none; Microsoft gives rows no key.
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/ms_nce.py, and row_number.
-- Params: $source, $file_name, $file_sha256, $file_set_sha256 (hex), $billing_month (YYYY-MM, of the whole invoice).
-- Units: amounts in billing_currency, net of tax; x_tax_total is the row's tax; instants in UTC, ends exclusive (the
--     file's end dates are inclusive); quantities in pricing_unit.
-- Fails: never on values that fit the declaration.
--
-- sub_account_id: the customer's tenant; the API's `org:` before it is taken off, so that a tenant is written the same
--     in accounts.csv whatever the carrier. Without one the row is unmapped.
-- x_charge_nature, first rule that holds:
--   credit     ChargeType says credit, or a CreditReasonCode stands beside an amount that is not positive.
--   rounding   ChargeType says rounding.
--   free_tier  costs exactly nothing and is a trial (ProductQualifiers), or its name says free or trial; or is a day's
--              usage of legacy commerce, which has no amount: the usage-based items charge it. Counted, never billed.
--   usage      everything else: addQuantity, removeQuantity and cancellations are negative and positive rows of one
--              ChargeType, and each counts.
-- list_cost (SRP): Subtotal before partner earned credit for metered rows, which is what PriceAdjustmentDescription
--     names; null for licences and for legacy commerce, whose items state the partner's price only.
-- x_note: Subtotal differs by more than one minor unit from the documented arithmetic, which truncates:
--     metered  ROUNDDOWN(ROUNDDOWN(EffectiveUnitPrice * BillableQuantity, 2) * PCToBCExchangeRate, 2)
--     seats    ROUNDDOWN(EffectiveUnitPrice * PCToBCExchangeRate, 2) * BillableQuantity
--     The check sees 9 decimals of each factor. Subtotal is the cost all the same.
with

vendor_rows as (

    select * from raw_rows

),

named as (

    select
        *,
        nullif(regexp_replace(customer_id, '^org:', '', 'i'), '') as tenant_id,
        meter_description is not null as is_metered,
        coalesce(attributes_object_type in ('UsageBasedLineItem', 'DailyUsageLineItem'), false) as is_legacy,
        nullif(nullif(upper(reservation_order_id), 'NA'), 'N/A') is not null as is_reservation,
        lower(coalesce(charge_type, '')) as charge_word,
        nullif(nullif(upper(credit_reason_code), 'NA'), 'N/A') as credit_reason,
        lower(coalesce(product_qualifiers, '') || ' ' || coalesce(product_name, '')) as lower_names,
        coalesce(charge_start_date, subscription_start_date, order_date) as started_at,
        coalesce(
            try_cast(
                regexp_extract(
                    lower(price_adjustment_description), '([0-9]+(\.[0-9]+)?) ?% partner earned credit', 1
                ) as decimal(18, 6)
            ),
            0
        ) as earned_percent,
        case
            when
                currency in (
                    'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF',
                    'XOF', 'XPF'
                )
                then 1.00
            else 0.01
        end as tolerance,
        try_cast(effective_unit_price as decimal(19, 9)) as check_price,
        try_cast(billable_quantity as decimal(19, 9)) as check_quantity,
        try_cast(pc_to_bc_exchange_rate as decimal(19, 9)) as check_rate,
        cast($billing_month || '-01' as date) as first_day,
    from vendor_rows

),

checked as (

    select
        *,
        case
            when is_metered
                then trunc(try_cast(trunc(check_price * check_quantity, 2) as decimal(18, 2)) * check_rate, 2)
            else try_cast(trunc(check_price * check_rate, 2) as decimal(18, 2)) * check_quantity
        end as expected_subtotal,
        case
            when charge_word like '%credit%' or (credit_reason is not null and subtotal <= 0) then 'credit'
            when charge_word like '%rounding%' then 'rounding'
            when attributes_object_type = 'DailyUsageLineItem' then 'free_tier'
            when subtotal = 0 and regexp_matches(lower_names, '\b(trial|free)\b') then 'free_tier'
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
        tenant_id as sub_account_id,
        coalesce(customer_name, customer_domain_name) as sub_account_name,
        $billing_month as billing_period,
        cast(first_day as timestamp with time zone) as billing_period_start,
        cast(first_day + interval 1 month as timestamp with time zone) as billing_period_end,
        coalesce(started_at, cast(first_day as timestamp with time zone)) as charge_period_start,
        date_trunc('day', charge_end_date) + interval 1 day as charge_period_end,
        case
            when charge_nature = 'credit' then 'Credit'
            when charge_nature = 'rounding' then 'Adjustment'
            when is_metered and not is_reservation then 'Usage'
            else 'Purchase'
        end as charge_category,
        cast(null as varchar) as charge_class,
        coalesce(meter_description, sku_name, product_name) as charge_description,
        case
            when is_metered and not is_reservation then 'Usage-Based'
            when regexp_matches(lower(billing_frequency), 'month|annual|year|trienn') then 'Recurring'
            else 'One-Time'
        end as charge_frequency,
        coalesce(product_name, sku_name, product_id) as service_name,
        case
            when is_reservation then 'Azure reservations'
            when is_metered then coalesce(subscription_description, 'Azure plan')
            else 'Licences'
        end as service_category,
        product_id || coalesce(':' || sku_id, '') as sku_id,
        product_id || ':' || sku_id || ':' || availability_id as sku_price_id,
        cast(null as varchar) as region_id,
        subscription_id as resource_id,
        cast(null as varchar) as tags,
        coalesce(billable_quantity, quantity) as pricing_quantity,
        unit_type as pricing_unit,
        subtotal as billed_cost,
        cast(null as decimal(38, 18)) as effective_cost,
        case
            when is_metered and not is_legacy
                then before_credit(subtotal, cast(earned_percent * cast(0.01 as decimal(3, 2)) as decimal(18, 8)))
        end as list_cost,
        cast(null as decimal(38, 18)) as contracted_cost,
        currency as billing_currency,
        invoice_number as invoice_id,
        'Microsoft' as invoice_issuer_name,
        'Microsoft' as provider_name,
        publisher_name,
        cast(null as varchar) as x_row_key,
        charge_type as x_line_item_type,
        unit_type as x_usage_type,
        credit_reason_code as x_operation,
        cast(null as varchar) as x_billing_entity,
        charge_nature as x_charge_nature,
        order_id as x_order_id,
        tax_total as x_tax_total,
        nullif(
            concat_ws(
                '; ',
                'Quantity=' || quantity_unrounded,
                'EffectiveUnitPrice=' || effective_unit_price_unrounded,
                'BillableQuantity=' || billable_quantity_unrounded,
                'PCToBCExchangeRate=' || pc_to_bc_exchange_rate_unrounded
            ),
            ''
        ) as x_rounded_amounts,
        nullif(
            concat_ws(
                '; ',
                case
                    when abs(subtotal - expected_subtotal) > tolerance
                        then 'the documented arithmetic gives a Subtotal of ' || cast(expected_subtotal as varchar)
                end,
                case
                    when attributes_object_type = 'DailyUsageLineItem'
                        then 'usage without an amount: the usage-based line items charge it'
                    when billable_quantity is null and quantity is not null
                        then 'BillableQuantity is absent, Quantity stands in for it'
                end
            ),
            ''
        ) as x_note,
        case when abs(subtotal - expected_subtotal) > tolerance then cast(expected_subtotal as decimal(38, 18)) end
            as x_expected_cost,
    from checked

)

select * from canonical
