-- What: where money is lost: cost that nobody pays for, prices below cost, special prices that have ended, marketplace
--     fees not passed on, cost above the distributor's price list, and credits beyond what was charged.
-- Grain: kind, customer, source, billing period, currency and detail.
-- Keys: the same.
-- Inputs: current_line_items (priced line items of current deliveries), and, each from the file of its name beside this
--     one: unit_cost_differences, unpassed_fees, uninvoiced_charges, expired_special_prices.
-- Params: none.
-- Units: amount is the money lost, in currency; negative where a vendor's corrections outweigh the cost.
-- Fails: never.
with

current_line_items as (
    select * from current_line_items
),

unit_cost_differences as (
    select * from unit_cost_differences
),

unpassed_fees as (
    select * from unpassed_fees
),

uninvoiced_charges as (
    select * from uninvoiced_charges
),

expired_special_prices as (
    select * from expired_special_prices
),

credited_lines as (
    select
        credited_line_item_id,
        sum(total_sell) as credited,
    from current_line_items
    where credited_line_item_id is not null and total_sell is not null and bucket <> 'excluded_by_rule'
    group by credited_line_item_id
),

findings as (
    select
        case
            when current_line_items.bucket in ('unmapped_account', 'unpriced') then current_line_items.bucket
            else 'sold_below_cost'
        end as kind,
        current_line_items.customer_id,
        current_line_items.source,
        current_line_items.billing_period,
        case
            when current_line_items.bucket in ('billed', 'not_yet_final') then -current_line_items.margin
            else current_line_items.total_cost
        end as amount,
        current_line_items.currency,
        case
            when current_line_items.bucket in ('unmapped_account', 'unpriced') then current_line_items.reason
            else coalesce(current_line_items.product_name, current_line_items.product_id, '(no product)')
        end as detail,
    from current_line_items
    where
        current_line_items.bucket in ('unmapped_account', 'unpriced')
        or (
            current_line_items.bucket in ('billed', 'not_yet_final')
            and current_line_items.margin < 0
            and current_line_items.charge_type = 'Debit'
            and current_line_items.total_cost > 0
        )
    union all
    select * from unpassed_fees
    union all
    select * from uninvoiced_charges
    union all
    select * from expired_special_prices
    union all
    select
        'unit_cost_above_price_list' as kind,
        unit_cost_differences.customer_id,
        unit_cost_differences.source,
        unit_cost_differences.billing_period,
        unit_cost_differences.total_difference as amount,
        unit_cost_differences.currency,
        coalesce(unit_cost_differences.product_name, unit_cost_differences.product_id) as detail,
    from unit_cost_differences
    inner join current_line_items
        on unit_cost_differences.line_item_id = current_line_items.line_item_id
    where unit_cost_differences.total_difference > 0 and current_line_items.bucket <> 'excluded_by_rule'
    union all
    select
        'credited_more_than_charged' as kind,
        current_line_items.customer_id,
        current_line_items.source,
        current_line_items.billing_period,
        -(current_line_items.total_sell + credited_lines.credited) as amount,
        current_line_items.currency,
        current_line_items.invoice_number || ' line ' || current_line_items.line_number as detail,
    from current_line_items
    inner join credited_lines
        on current_line_items.line_item_id = credited_lines.credited_line_item_id
    where current_line_items.total_sell + credited_lines.credited < 0
),

leaks as (
    select
        kind,
        customer_id,
        source,
        billing_period,
        cast(sum(amount) as decimal(38, 24)) as amount,
        currency,
        coalesce(detail, '') as detail,
    from findings
    group by
        kind,
        customer_id,
        source,
        billing_period,
        currency,
        coalesce(detail, '')
)

select * from leaks
where amount <> 0
order by
    kind,
    customer_id,
    source,
    billing_period,
    currency,
    detail
