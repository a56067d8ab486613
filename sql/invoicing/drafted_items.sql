-- What: the charges of a billing period that stand on drafts, each with the facts that choose its line and the amount
--     billed for it.
-- Grain: one charge, as the input.
-- Keys: charge_id.
-- Inputs: billable_items (priced_line_items of one billing period, current deliveries, customer known), draft_options
--     (one row; include_not_final is true only where an operator overrides an unsettled period).
-- Params: none.
-- Units: amount_precise decimal(38, 24) in currency, never rounded here: the sell total, but for marketplace fees the
--     cost, so that their margin is exactly 0.
-- Fails: never. An unpriced charge has no amount_precise; only the buckets billed and marketplace_fee, and
--     not_yet_final under the override, are on a draft.
with

billable_items as (
    select * from billable_items
),

draft_options as (
    select * from draft_options
),

items as (
    select *
    from billable_items
    where
        bucket in ('billed', 'marketplace_fee')
        or (bucket = 'not_yet_final' and (select draft_options.include_not_final from draft_options))
),

drafted_items as (
    select
        customer_id,
        currency,
        coalesce(product_type, 'Other') as line_product_type,
        coalesce(product_id, product_name, 'unnamed') as line_product_id,
        coalesce(product_name, product_id, 'Unnamed product') as line_product_name,
        unit,
        coalesce(tax_category, 'standard') as line_tax_category,
        coalesce(description, product_name, product_id, 'Unnamed product') as line_description,
        case
            when bucket = 'marketplace_fee' then 'marketplace'
            when charge_type = 'Credit' then 'credit'
            when charge_category = 'Purchase' and not coalesce(is_pay_per_use, false) then 'subscription'
            else 'usage'
        end as line_kind,
        case
            when bucket = 'marketplace_fee' then total_cost
            else total_sell
        end as amount_precise,
        charge_id,
        source,
        delivery_id,
        billing_account_id,
        sub_account_id,
        product_id,
        billing_period,
        charge_category,
        charge_nature,
        invoice_number,
        line_number,
        period_start,
        period_end,
        quantity,
        total_cost,
        price_term,
        price_term_id,
        is_final,
        row_count,
    from items
)

select * from drafted_items
