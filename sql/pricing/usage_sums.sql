-- What: vendor rows of usage feeds, summed to the charge grain; cost stays exact because prices apply to amounts.
-- Grain: one charge: delivery, account, product, UTC day, category, nature, unit and currency.
-- Keys: charge_id; also the grain.
-- Inputs: usage_rows (vendor_charges columns of usage feeds).
-- Params: none.
-- Units: costs in currency, quantity in unit.
-- Fails: never drops a row; list_cost is null as soon as one row has none, so that no price is made of half an SRP, and
--     so is quantity, which a fixed price multiplies.
with

usage_rows as (
    select * from usage_rows
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

keyed as (
    select
        usage_charge_id(
            delivery_id,
            sub_account_id,
            sku_id,
            service_name,
            service_category,
            charge_day,
            charge_category,
            charge_class,
            charge_nature,
            unit,
            currency
        ) as charge_id,
        *,
    from summed
)

select * from keyed
