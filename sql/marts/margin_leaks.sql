-- What: where money is lost: cost that nobody pays for, and prices below cost.
-- Grain: kind, customer, source, billing period, currency and detail.
-- Keys: the same.
-- Inputs: current_line_items (priced line items of current deliveries), invoiced_charges (charge_id of document lines).
-- Params: none.
-- Units: amount is the cost not earned back, in currency; negative where a vendor's corrections outweigh the cost.
-- Fails: never.
with

current_line_items as (
    select * from current_line_items
),

invoiced_charges as (
    select distinct charge_id from invoiced_charges
),

findings as (
    select
        case
            when current_line_items.bucket = 'marketplace_fee' then 'marketplace_fee_not_passed_on'
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
    left join invoiced_charges
        on current_line_items.charge_id = invoiced_charges.charge_id
    where
        current_line_items.bucket in ('unmapped_account', 'unpriced')
        or (
            current_line_items.bucket in ('billed', 'not_yet_final')
            and current_line_items.margin < 0
            and current_line_items.charge_type = 'Debit'
            and current_line_items.total_cost > 0
        )
        or (current_line_items.bucket = 'marketplace_fee' and invoiced_charges.charge_id is null)
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
