-- Gather the billable charges of one billing period into the lines of invoice drafts: every line of
-- every customer at once.
--
-- Grain:   one row per customer_id, currency, product_type, product_id, product_name, unit, line_kind
--          and tax_category (a product has one tax category; were there two, they must not be taxed as one).
-- Keys:    the same.
-- Inputs:  billable_items, with the columns of priced_line_items: one billing period, current
--          deliveries, customer known. Only the buckets `billed` and `marketplace_fee` become lines,
--          and `not_yet_final` where a period is invoiced before it is settled.
-- Params:  $include_not_final, boolean: true only when an operator overrides an unsettled period.
-- Units:   amount_precise decimal(38,24) in `currency`, never rounded here: the sell totals, but for
--          marketplace fees the cost, so that their margin is exactly 0. quantity decimal(38,18) in `unit`.
-- Fails:   on an amount beyond decimal(38,24). A line with an unpriced item has amount_precise null:
--          such a customer must be refused by the reader, never billed the rest of the line.
with items as (
    select *
    from billable_items
    where
        bucket in ('billed', 'marketplace_fee')
        or (bucket = 'not_yet_final' and $include_not_final)
),

kinds as (
    select
        customer_id,
        currency,
        coalesce(product_type, 'Other') as product_type,
        coalesce(product_id, product_name, 'unnamed') as product_id,
        coalesce(product_name, product_id, 'Unnamed product') as product_name,
        unit,
        coalesce(tax_category, 'standard') as tax_category,
        coalesce(description, product_name, product_id, 'Unnamed product') as description,
        charge_id,
        quantity,
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
    from items
),

lines as (
    select
        customer_id,
        currency,
        product_type,
        product_id,
        product_name,
        unit,
        line_kind,
        tax_category,
        case
            when min(description) = max(description) then min(description)
            else product_name
        end as description,
        cast(sum(quantity) as decimal(38, 18)) as quantity,
        case
            when count(amount_precise) = count(*) then cast(sum(amount_precise) as decimal(38, 24))
        end as amount_precise,
        count(*) as item_count,
        array_sort(array_agg(distinct charge_id)) as charge_ids,
    from kinds
    group by
        customer_id,
        currency,
        product_type,
        product_id,
        product_name,
        unit,
        line_kind,
        tax_category
)

select * from lines
