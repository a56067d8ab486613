-- What: what documents have billed so far of the charges of locked months, however often they were adjusted.
-- Grain: customer, source, billing account, billing period, identity (charge_identity) and currency.
-- Keys: the same.
-- Inputs: billed_before (charges on documents, with reference), touched_slots.
-- Params: none.
-- Units: sums of amounts in currency, of quantity in unit; line_number is the line that billed it first, if one did.
-- Fails: never.
with

touched as (
    select * from touched_slots
),

billed_rows as (
    select
        billed_before.*,
        charge_identity(
            billed_before.vendor_line_number, billed_before.sub_account_id, billed_before.product_id,
            billed_before.charge_category, billed_before.charge_nature, billed_before.period_start, billed_before.unit
        ) as identity,
    from billed_before
    semi join touched
        on
            billed_before.source = touched.source
            and billed_before.billing_account_id = touched.billing_account_id
            and billed_before.billing_period = touched.billing_period
),

billed as (
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
        max(row_count) as row_count,
        min(line_number) filter (where cause is null) as line_number,
        min(reference) as reference,
        max(product_type) as product_type,
        max(product_id) as product_id,
        max(product_name) as product_name,
        max(tax_category) as tax_category,
        max(unit) as unit,
        max(sub_account_id) as sub_account_id,
        max(charge_category) as charge_category,
        max(charge_nature) as charge_nature,
        max(vendor_invoice_number) as vendor_invoice_number,
        max(vendor_line_number) as vendor_line_number,
        max(period_start) as period_start,
        max(period_end) as period_end,
        max(price_term) as price_term,
        max(price_term_id) as price_term_id,
    from billed_rows
    group by
        customer_id,
        source,
        billing_account_id,
        billing_period,
        identity,
        currency
)

select * from billed
