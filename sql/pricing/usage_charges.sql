-- What: vendor rows of usage feeds, summed to the charge grain; cost stays exact because prices apply to amounts.
-- Grain: one charge: delivery, account, product, UTC day, category, nature, unit and currency.
-- Keys: charge_id.
-- Inputs: usage_rows (vendor_charges columns of usage feeds), delivery_facts (one row per delivery).
-- Params: none.
-- Units: costs in currency, quantity in unit.
-- Fails: never drops a row; list_cost is null as soon as one row has none, so that no price is made of half an SRP, and
--     so is quantity, which a fixed price multiplies.
with

usage_rows as (
    select * from usage_rows
),

delivery_facts as (
    select * from delivery_facts
),

days as (
    select
        delivery_id,
        sub_account_id,
        sub_account_name,
        sku_id,
        service_name,
        service_category,
        cast(charge_period_start as date) as charge_day,
        charge_category,
        charge_class,
        x_charge_nature,
        charge_description,
        pricing_unit,
        billing_currency,
        invoice_id,
        pricing_quantity,
        billed_cost,
        list_cost,
    from usage_rows
),

summed as (
    select
        delivery_id,
        sub_account_id,
        sku_id,
        service_name,
        service_category,
        charge_day,
        charge_category,
        charge_class,
        x_charge_nature as charge_nature,
        pricing_unit as unit,
        billing_currency as currency,
        min(sub_account_name) as sub_account_name,
        min(charge_description) as description,
        min(invoice_id) as invoice_number,
        case when count(pricing_quantity) = count(*) then sum(pricing_quantity) end as quantity,
        sum(billed_cost) as cost,
        case when count(list_cost) = count(*) then sum(list_cost) end as list_cost,
        count(*) as row_count,
    from days
    group by
        delivery_id,
        sub_account_id,
        sku_id,
        service_name,
        service_category,
        charge_day,
        charge_category,
        charge_class,
        x_charge_nature,
        pricing_unit,
        billing_currency
),

charges as (
    select
        usage_charge_id(
            summed.delivery_id,
            summed.sub_account_id,
            summed.sku_id,
            summed.service_name,
            summed.service_category,
            summed.charge_day,
            summed.charge_category,
            summed.charge_class,
            summed.charge_nature,
            summed.unit,
            summed.currency
        ) as charge_id,
        delivery_facts.source,
        summed.delivery_id,
        delivery_facts.vendor,
        delivery_facts.billing_account_id,
        delivery_facts.billing_period,
        delivery_facts.received_at,
        delivery_facts.is_final,
        summed.sub_account_id,
        summed.sub_account_name,
        coalesce(summed.sku_id, summed.service_name) as vendor_product_id,
        summed.service_name as vendor_product_name,
        summed.service_category as vendor_product_type,
        coalesce(summed.description, summed.service_name) as description,
        summed.invoice_number,
        cast(null as date) as invoice_date,
        case when summed.charge_category = 'Credit' then 'Credit' else 'Debit' end as charge_type,
        summed.charge_category,
        summed.charge_nature,
        cast(null as varchar) as order_channel,
        cast(null as varchar) as origin,
        cast(null as varchar) as invoice_status,
        cast(null as boolean) as is_pay_per_use,
        cast(null as integer) as installment_number,
        cast(null as integer) as installment_count,
        cast(null as varchar) as line_number,
        summed.charge_day as period_start,
        cast(summed.charge_day + interval 1 day as date) as period_end,
        summed.charge_day as term_day,
        cast(null as varchar) as note,
        cast(summed.quantity as decimal(38, 18)) as quantity,
        summed.unit,
        cast(null as decimal(28, 9)) as file_unit_cost,
        cast(null as decimal(28, 9)) as file_list_price,
        cast(summed.cost as decimal(38, 18)) as cost,
        cast(summed.list_cost as decimal(38, 18)) as list_cost,
        summed.currency,
        cast(null as varchar) as credits_invoice_number,
        cast(null as varchar) as credits_line_number,
        summed.row_count,
    from summed
    inner join delivery_facts
        on summed.delivery_id = delivery_facts.delivery_id
)

select * from charges
