-- What: marketplace fees that stand on no document: they pass through at cost, so whoever does not bill them pays them.
-- Grain: a fee as it is found again in another delivery (charge_identity), and currency.
-- Keys: source, billing period, customer and detail are not unique; several fees of a product are several rows.
-- Inputs: current_line_items (priced line items of current deliveries), billed_fees (the marketplace fees behind
--     documents that are not void: columns of billed_charges).
-- Params: none.
-- Units: amount is what is not billed, in currency: the fee as the vendor states it now less what documents bill of it.
-- Fails: never. A newer delivery gives its charges new ids, so a fee is recognised by what it is for; one billed to
--     another customer than its account has now counts as passed on.
with

current_line_items as (
    select * from current_line_items
),

billed_fees as (
    select * from billed_fees
),

current_fees as (
    select
        source,
        billing_account_id,
        billing_period,
        charge_identity(
            line_number, sub_account_id, product_id, charge_category, charge_nature, period_start, unit
        ) as identity,
        currency,
        max(customer_id) as customer_id,
        max(coalesce(product_name, product_id, '(no product)')) as product,
        sum(total_cost) as total_cost,
    from current_line_items
    where bucket = 'marketplace_fee'
    group by
        source,
        billing_account_id,
        billing_period,
        identity,
        currency
),

passed_on as (
    select
        source,
        billing_account_id,
        billing_period,
        charge_identity(
            vendor_line_number, sub_account_id, product_id, charge_category, charge_nature, period_start, unit
        ) as identity,
        currency,
        sum(amount_precise) as amount,
    from billed_fees
    group by
        source,
        billing_account_id,
        billing_period,
        identity,
        currency
),

unpassed_fees as (
    select
        'marketplace_fee_not_passed_on' as kind,
        current_fees.customer_id,
        current_fees.source,
        current_fees.billing_period,
        cast(current_fees.total_cost - coalesce(passed_on.amount, 0) as decimal(38, 24)) as amount,
        current_fees.currency,
        current_fees.product as detail,
    from current_fees
    left join passed_on
        on
            current_fees.source = passed_on.source
            and current_fees.billing_account_id = passed_on.billing_account_id
            and current_fees.billing_period = passed_on.billing_period
            and current_fees.identity = passed_on.identity
            and current_fees.currency = passed_on.currency
    where
        passed_on.identity is null
        or current_fees.total_cost > passed_on.amount
)

select * from unpassed_fees
