-- Map items of distributor invoices to the canonical columns of vendor_charges.
--
-- Grain: one row per item, in file order; no item is dropped, also of invoices that are not issued.
-- Keys: x_row_key = invoice_number | line_number, unique within one delivery.
-- Inputs: raw_rows, typed after the declaration in billing_pipeline/vendors/distributor_invoice.py, and row_number.
-- Params: $source, $file_name, $file_sha256, $file_set_sha256 (hex).
-- Units: amounts in billing_currency: unit prices of 9 decimals, costs their exact product of 18. Amounts of a credit
--     invoice are positive in the file and negative here (costs and totals); x_unit_cost and x_list_price stay as in
--     the file. Days are calendar days of the distributor, kept as instants at 00:00 UTC.
-- Fails: a product beyond 20 digits before the point is an error of the whole file.
--
-- x_charge_nature is usage: an item of a distributor is always something a customer bought, or its credit.
with

vendor_rows as (

    select * from raw_rows

),

signed as (

    select
        *,
        case when type = 'credit' then -1 else 1 end as sign,
        strftime(invoice_date, '%Y-%m') as billing_period,
        cast(date_trunc('month', invoice_date) as date) as first_day,
        cast(date_trunc('month', invoice_date) + interval 1 month as date) as end_day,
    from vendor_rows

),

canonical as (

    select
        $source || '/' || invoice_number || '/' || billing_period || '/' || left($file_set_sha256, 12)
            as delivery_id,
        $source as source,
        row_number,
        $file_name as x_file_name,
        $file_sha256 as x_file_sha256,
        invoice_number as billing_account_id,
        cast(null as varchar) as billing_account_name,
        customer_id as sub_account_id,
        customer_name as sub_account_name,
        billing_period,
        cast(first_day as timestamp with time zone) as billing_period_start,
        cast(end_day as timestamp with time zone) as billing_period_end,
        cast(coalesce(start_date, invoice_date) as timestamp with time zone) as charge_period_start,
        cast(coalesce(end_date, invoice_date) as timestamp with time zone) as charge_period_end,
        'Purchase' as charge_category,
        cast(null as varchar) as charge_class,
        description as charge_description,
        cast(null as varchar) as charge_frequency,
        coalesce(product_name, product_id) as service_name,
        product_type as service_category,
        product_id as sku_id,
        cast(null as varchar) as sku_price_id,
        cast(null as varchar) as region_id,
        cast(null as varchar) as resource_id,
        cast(null as varchar) as tags,
        cast(quantity as decimal(38, 18)) as pricing_quantity,
        unit as pricing_unit,
        cast(quantity * unit_cost * sign as decimal(38, 18)) as billed_cost,
        cast(null as decimal(38, 18)) as effective_cost,
        cast(quantity * list_price * sign as decimal(38, 18)) as list_cost,
        cast(null as decimal(38, 18)) as contracted_cost,
        currency as billing_currency,
        invoice_number as invoice_id,
        cast(null as varchar) as invoice_issuer_name,
        cast(null as varchar) as provider_name,
        cast(null as varchar) as publisher_name,
        invoice_number || '|' || line_number as x_row_key,
        cast(null as varchar) as x_line_item_type,
        cast(null as varchar) as x_usage_type,
        cast(null as varchar) as x_operation,
        cast(null as varchar) as x_billing_entity,
        'usage' as x_charge_nature,
        invoice_date as x_invoice_date,
        issued_at as x_issued_at,
        type as x_invoice_type,
        status as x_invoice_status,
        order_channel as x_order_channel,
        origin as x_origin,
        credits_invoice_number as x_credits_invoice_number,
        credits_line_number as x_credits_line_number,
        line_number as x_line_number,
        product_type as x_product_type,
        pay_per_use as x_is_pay_per_use,
        installment_number as x_installment_number,
        installment_count as x_installment_count,
        start_date as x_start_date,
        end_date as x_end_date,
        unit_cost as x_unit_cost,
        list_price as x_list_price,
        order_id as x_order_id,
        ordered_at as x_ordered_at,
        cast(net_total * sign as decimal(38, 18)) as x_net_total,
        cast(tax_total * sign as decimal(38, 18)) as x_tax_total,
    from signed

)

select * from canonical
