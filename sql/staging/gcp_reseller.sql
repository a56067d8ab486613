-- Map rows of Google Cloud's reseller billing detailed export to the canonical columns of vendor_charges.
--
-- Grain: one row per row of the file, in file order, and a second one (same row_number) for the reseller margin of a
--     row that has any. No row is dropped; both of a commitment's two rows stay, also the one of zero.
-- Keys: none; the export gives rows no id.
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/gcp_reseller.py, and row_number.
-- Params: $source, $file_name, $file_sha256, $file_set_sha256 (hex).
-- Units: amounts in billing_currency; instants in UTC, ends exclusive; quantities in pricing_unit.
-- Fails: never on values that fit the declaration.
--
-- billed_cost: cost + sum(credits.amount), which is what Google invoices ("BigQuery export query examples"). Over the
--     rows of a file it adds up to that: RESELLER_MARGIN credits are in the second row, all others in the first.
-- x_customer_cost: customer_cost + sum(credits.customer_amount), Google's own repricing; not what we charge.
-- list_cost (SRP): cost_at_list, or cost; less the credits for what is paid elsewhere or free (commitments,
--     subscription benefits, free tier), so that a customer who pays the SRP does not pay twice. An SRP of zero beside
--     a cost is null.
-- billing_period: invoice.month, never the usage date. sub_account_id: billing_account_id, the customer's subaccount.
-- x_charge_nature, first rule that holds:
--   partner_discount  the second row: RESELLER_MARGIN, which stays with the reseller (its customer_amount is 0).
--   tax, rounding     cost_type tax, rounding_error.
--   credit            cost_type adjustment: of the reseller's invoice, without customer amounts.
--   marketplace_fee   transaction_type THIRD_PARTY_RESELLER or THIRD_PARTY_AGENCY.
--   free_tier         FREE_TIER credits leave exactly nothing of a cost.
--   usage             everything else.
with

vendor_rows as (

    select * from raw_rows

),

opened as (

    select
        *,
        strftime(invoice_month, '%Y-%m') as billing_period,
        from_json(
            credits,
            '[{"type": "VARCHAR", "amount": "VARCHAR", "customer_amount": "VARCHAR", "amount_unrounded": "VARCHAR",
               "customer_amount_unrounded": "VARCHAR"}]'
        ) as credit_list,
        from_json(labels, '[{"key": "VARCHAR", "value": "VARCHAR"}]') as label_list,
    from vendor_rows

),

summed as (

    select
        *,
        coalesce(list_sum([
            cast(credit.amount as decimal(38, 18)) for credit in credit_list
            if coalesce(credit.type, '') <> 'RESELLER_MARGIN'
        ]), 0) as credit_amount,
        list_sum([
            cast(credit.amount as decimal(38, 18)) for credit in credit_list if credit.type = 'RESELLER_MARGIN'
        ]) as margin_amount,
        coalesce(list_sum([
            cast(credit.amount as decimal(38, 18)) for credit in credit_list if credit.type in (
                'COMMITTED_USAGE_DISCOUNT', 'COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE', 'SUBSCRIPTION_BENEFIT', 'FREE_TIER'
            )
        ]), 0) as covered_amount,
        coalesce(list_sum([
            cast(credit.customer_amount as decimal(38, 18)) for credit in credit_list
        ]), 0) as customer_credit_amount,
        coalesce(list_contains([credit.type for credit in credit_list], 'FREE_TIER'), false) as has_free_tier,
        nullif(concat_ws(
            '; ',
            'cost=' || cost_unrounded,
            'customer_cost=' || customer_cost_unrounded,
            'cost_at_list=' || cost_at_list_unrounded,
            'usage.amount_in_pricing_unit=' || usage_amount_in_pricing_unit_unrounded,
            nullif(array_to_string([
                'credits.amount=' || credit.amount_unrounded for credit in credit_list
                if credit.amount_unrounded is not null and coalesce(credit.type, '') <> 'RESELLER_MARGIN'
            ], '; '), ''),
            nullif(array_to_string([
                'credits.customer_amount=' || credit.customer_amount_unrounded for credit in credit_list
                if credit.customer_amount_unrounded is not null
            ], '; '), '')
        ), '') as rounded_amounts,
        nullif(array_to_string([
            'credits.amount=' || credit.amount_unrounded for credit in credit_list
            if credit.amount_unrounded is not null and credit.type = 'RESELLER_MARGIN'
        ], '; '), '') as rounded_margins,
    from opened

),

charges as (

    select
        *,
        false as is_margin,
        cost + credit_amount as billed_cost,
        coalesce(cost_at_list, cost) + covered_amount as srp,
        customer_cost + customer_credit_amount as customer_amount,
    from summed

),

margins as (

    select
        *,
        true as is_margin,
        margin_amount as billed_cost,
        cast(null as decimal(38, 18)) as srp,
        cast(null as decimal(38, 18)) as customer_amount,
    from summed
    where margin_amount is not null

),

split_rows as (

    select * from charges
    union all
    select * from margins

),

classified as (

    select
        *,
        case
            when is_margin then 'partner_discount'
            when cost_type = 'tax' then 'tax'
            when cost_type = 'rounding_error' then 'rounding'
            when cost_type = 'adjustment' then 'credit'
            when transaction_type in ('THIRD_PARTY_RESELLER', 'THIRD_PARTY_AGENCY') then 'marketplace_fee'
            when has_free_tier and billed_cost = 0 then 'free_tier'
            else 'usage'
        end as charge_nature,
    from split_rows

),

canonical as (

    select
        $source || '/' || payer_billing_account_id || '/' || billing_period || '/' || left($file_set_sha256, 12)
            as delivery_id,
        $source as source,
        row_number,
        $file_name as x_file_name,
        $file_sha256 as x_file_sha256,
        payer_billing_account_id as billing_account_id,
        cast(null as varchar) as billing_account_name,
        billing_account_id as sub_account_id,
        customer_name as sub_account_name,
        billing_period,
        cast(invoice_month as timestamp with time zone) as billing_period_start,
        cast(invoice_month + interval 1 month as timestamp with time zone) as billing_period_end,
        usage_start_time as charge_period_start,
        usage_end_time as charge_period_end,
        case charge_nature
            when 'tax' then 'Tax'
            when 'rounding' then 'Adjustment'
            when 'credit' then 'Adjustment'
            when 'partner_discount' then 'Credit'
            else 'Usage'
        end as charge_category,
        case when cost_type = 'adjustment' then 'Correction' end as charge_class,
        case when is_margin then 'Reseller margin: ' || sku_description else sku_description end
            as charge_description,
        case when cost_type = 'regular' then 'Usage-Based' else 'One-Time' end as charge_frequency,
        service_description as service_name,
        service_description as service_category,
        sku_id,
        service_id || '/' || sku_id as sku_price_id,
        coalesce(location_region, location_location) as region_id,
        coalesce(resource_global_name, resource_name) as resource_id,
        '{' || array_to_string([
            cast(to_json(label.key) as varchar) || ': ' || cast(to_json(coalesce(label.value, '')) as varchar)
            for label in label_list if label.key is not null
        ], ', ') || '}' as tags,
        case when not is_margin then usage_amount_in_pricing_unit end as pricing_quantity,
        usage_pricing_unit as pricing_unit,
        cast(billed_cost as decimal(38, 18)) as billed_cost,
        cast(null as decimal(38, 18)) as effective_cost,
        cast(case when srp <> 0 or billed_cost = 0 then srp end as decimal(38, 18)) as list_cost,
        cast(null as decimal(38, 18)) as contracted_cost,
        currency as billing_currency,
        cast(null as varchar) as invoice_id,
        'Google' as invoice_issuer_name,
        'Google Cloud' as provider_name,
        coalesce(seller_name, 'Google') as publisher_name,
        cast(null as varchar) as x_row_key,
        cost_type as x_line_item_type,
        cast(null as varchar) as x_usage_type,
        project_id as x_operation,
        transaction_type as x_billing_entity,
        charge_nature as x_charge_nature,
        case when is_margin then rounded_margins else rounded_amounts end as x_rounded_amounts,
        cast(customer_amount as decimal(38, 18)) as x_customer_cost,
    from classified

)

select * from canonical
order by row_number, x_charge_nature = 'partner_discount'
