-- What: distributor-invoice items as charges, one to one.
-- Grain: one item of one distributor invoice.
-- Keys: charge_id.
-- Inputs: item_rows (vendor_charges columns of distributor invoices), delivery_facts (one row per delivery).
-- Params: $time_zone (IANA name; the day of an order or an invoice is the organisation's day).
-- Units: file_unit_cost and file_list_price in currency per unit, as in the file; cost negative for credits.
-- Fails: never drops a row.
with

item_rows as (
    select * from item_rows
),

delivery_facts as (
    select * from delivery_facts
),

charges as (
    select
        item_charge_id(item_rows.delivery_id, item_rows.x_line_number) as charge_id,
        delivery_facts.source,
        item_rows.delivery_id,
        delivery_facts.vendor,
        delivery_facts.billing_account_id,
        delivery_facts.billing_period,
        delivery_facts.received_at,
        -- A customer who orders in the reseller's own storefront sees the terms that are known at that instant.
        case
            when item_rows.x_order_channel = 'reseller_storefront'
                then least(coalesce(item_rows.x_ordered_at, delivery_facts.received_at), delivery_facts.received_at)
            else delivery_facts.received_at
        end as known_at,
        delivery_facts.seen_at,
        delivery_facts.is_final,
        item_rows.sub_account_id,
        item_rows.sub_account_name,
        item_rows.sku_id as vendor_product_id,
        item_rows.service_name as vendor_product_name,
        item_rows.service_category as vendor_product_type,
        coalesce(item_rows.charge_description, item_rows.service_name) as description,
        item_rows.invoice_id as invoice_number,
        item_rows.x_invoice_date as invoice_date,
        case when item_rows.x_invoice_type = 'credit' then 'Credit' else 'Debit' end as charge_type,
        item_rows.charge_category,
        item_rows.x_charge_nature as charge_nature,
        item_rows.x_order_channel as order_channel,
        item_rows.x_origin as origin,
        item_rows.x_invoice_status as invoice_status,
        item_rows.x_is_pay_per_use as is_pay_per_use,
        item_rows.x_installment_number as installment_number,
        item_rows.x_installment_count as installment_count,
        item_rows.x_line_number as line_number,
        item_rows.x_start_date as period_start,
        item_rows.x_end_date as period_end,
        -- Terms of the order's moment in the reseller's own storefront, of the invoice's moment in every other channel.
        cast(coalesce(
            case
                when item_rows.x_order_channel = 'reseller_storefront'
                    then timezone($time_zone, item_rows.x_ordered_at)
            end,
            timezone($time_zone, item_rows.x_issued_at),
            item_rows.x_invoice_date
        ) as date) as term_day,
        case
            when item_rows.x_order_channel = 'reseller_storefront' and item_rows.x_ordered_at is null
                then 'the file gives no instant of the order: terms of the invoice''s moment'
        end as note,
        -- The distributor's own terms are those of the invoice's moment, whatever the channel.
        cast(coalesce(timezone($time_zone, item_rows.x_issued_at), item_rows.x_invoice_date) as date) as invoice_day,
        item_rows.pricing_quantity as quantity,
        item_rows.pricing_unit as unit,
        item_rows.x_unit_cost as file_unit_cost,
        item_rows.x_list_price as file_list_price,
        item_rows.billed_cost as cost,
        item_rows.list_cost,
        item_rows.billing_currency as currency,
        item_rows.x_credits_invoice_number as credits_invoice_number,
        item_rows.x_credits_line_number as credits_line_number,
        cast(1 as bigint) as row_count,
    from item_rows
    inner join delivery_facts
        on item_rows.delivery_id = delivery_facts.delivery_id
)

select * from charges
