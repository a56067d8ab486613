-- What: sums of usage feeds as charges, with their key and the facts of their delivery.
-- Grain: one charge: delivery, account, product, UTC day, category, nature, unit and currency.
-- Keys: charge_id.
-- Inputs: usage_sums (sql/pricing/usage_sums.sql), delivery_facts (one row per delivery).
-- Params: none.
-- Units: costs in currency, quantity in unit.
-- Fails: never drops a charge.
with

summed as (
    select * from usage_sums
),

delivery_facts as (
    select * from delivery_facts
),

charges as (
    select
        summed.charge_id,
        delivery_facts.source,
        summed.delivery_id,
        delivery_facts.vendor,
        delivery_facts.billing_account_id,
        delivery_facts.billing_period,
        delivery_facts.received_at,
        delivery_facts.received_at as known_at,
        delivery_facts.seen_at,
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
        cast(null as date) as invoice_day,
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
