-- What: what the charges of locked months come to now, as they are found again in another delivery.
-- Grain: customer, source, billing account, billing period, identity (charge_identity) and currency.
-- Keys: the same.
-- Inputs: month_items (drafted_items of the locked months), touched_slots.
-- Params: none.
-- Units: sums of amounts in currency, of quantity in unit.
-- Fails: never. A charge without price has no amount here and must block the customer.
with

touched as (
    select * from touched_slots
),

current_rows as (
    select
        month_items.*,
        charge_identity(
            month_items.line_number, month_items.sub_account_id, month_items.product_id,
            month_items.charge_category, month_items.charge_nature, month_items.period_start, month_items.unit
        ) as identity,
    from month_items
    semi join touched
        on
            month_items.source = touched.source
            and month_items.billing_account_id = touched.billing_account_id
            and month_items.billing_period = touched.billing_period
),

current_charges as (
    select
        customer_id,
        source,
        billing_account_id,
        billing_period,
        identity,
        currency,
        cast(sum(amount_precise) as decimal(38, 24)) as amount_precise,
        cast(sum(total_cost) as decimal(38, 24)) as total_cost,
        cast(sum(quantity) as decimal(38, 18)) as quantity,
        max(charge_id) as charge_id,
        max(delivery_id) as delivery_id,
        cast(sum(row_count) as bigint) as row_count,
        bool_and(is_final) as is_final,
        max(line_product_type) as product_type,
        max(product_id) as product_id,
        max(line_product_name) as product_name,
        max(line_tax_category) as tax_category,
        max(unit) as unit,
        max(sub_account_id) as sub_account_id,
        max(charge_category) as charge_category,
        max(charge_nature) as charge_nature,
        max(invoice_number) as vendor_invoice_number,
        max(line_number) as vendor_line_number,
        max(period_start) as period_start,
        max(period_end) as period_end,
        max(price_term) as price_term,
        max(price_term_id) as price_term_id,
    from current_rows
    group by
        customer_id,
        source,
        billing_account_id,
        billing_period,
        identity,
        currency
)

select * from current_charges
