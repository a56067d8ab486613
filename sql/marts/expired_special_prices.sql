-- What: special prices that have ended, and what their end costs: charges that fell back to a lower price, and charges
--     still at the special price because they were priced before its end was known.
-- Grain: one charge.
-- Keys: none of the columns; a customer's charges of a product share all but their amounts.
-- Inputs: current_line_items (priced line items of current deliveries), special_prices (reference rows in force).
-- Params: none.
-- Units: amount in currency, always positive. Fallen back: the price under the special price that ended last, less the
--     price now. Still applied: list price less the price now, which is what nobody grants any more.
-- Fails: never. Looked at are debits on their day, usage on its first day and items on that of their invoice, up to a
--     year after the end. What was ordered in the reseller's own storefront keeps the price of its order: no finding.
with

current_line_items as (
    select * from current_line_items
),

special_prices as (
    select * from special_prices
),

debits as (
    select
        line_item_id,
        customer_id,
        source,
        billing_period,
        product_id,
        product_name,
        currency,
        quantity,
        total_cost,
        total_list,
        total_sell,
        price_term,
        case when line_number is null then period_start else invoice_date end as charge_day,
        cast(1 + coalesce(adjustment_percent, 0) * cast(0.01 as decimal(3, 2)) as decimal(14, 6)) as adjustment,
    from current_line_items
    where
        bucket in ('billed', 'not_yet_final')
        and charge_type = 'Debit'
        and total_sell is not null
        and order_channel is distinct from 'reseller_storefront'
        and customer_id in (select special_prices.customer_id from special_prices)
),

candidates as (
    select
        debits.*,
        special_prices.special_price_id,
        special_prices.method as special_method,
        special_prices.percent as special_percent,
        special_prices.unit_price as special_unit_price,
        special_prices.currency as special_currency,
        special_prices.valid_to as special_valid_to,
        row_number() over (
            partition by debits.line_item_id
            order by
                special_prices.valid_to desc nulls first,
                special_prices.recorded_at desc,
                special_prices.special_price_id
        ) as place,
    from debits
    inner join special_prices
        on
            debits.customer_id = special_prices.customer_id
            and debits.product_id = special_prices.product_id
            and debits.charge_day >= special_prices.valid_from
),

-- The one that ends last has ended: none holds on the day.
compared as (
    select
        *,
        case
            when special_method = 'markup'
                then adjusted(
                        total_cost, cast(1 + special_percent * cast(0.01 as decimal(3, 2)) as decimal(14, 6))
                    )
            when special_method = 'percent_of_srp'
                then adjusted(total_list, cast(special_percent * cast(0.01 as decimal(3, 2)) as decimal(14, 6)))
            when special_currency = currency
                then cast(exact_product(quantity, special_unit_price) as decimal(38, 24))
        end as special_amount,
    from candidates
    where
        place = 1
        and special_valid_to <= charge_day
        and charge_day < special_valid_to + interval 1 year
),

lost as (
    select
        *,
        case
            when price_term = 'special_price' then total_list - total_sell
            else adjusted(special_amount, adjustment) - total_sell
        end as lost_amount,
    from compared
),

expired_special_prices as (
    select
        'expired_special_price' as kind,
        customer_id,
        source,
        billing_period,
        cast(lost_amount as decimal(38, 24)) as amount,
        currency,
        coalesce(product_name, product_id) || ': special price ' || special_price_id || ' ended on '
        || cast(special_valid_to as varchar)
        || case when price_term = 'special_price' then ', still applied' else '' end as detail,
    from lost
    where lost_amount > 0
)

select * from expired_special_prices
