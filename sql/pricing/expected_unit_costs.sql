-- What: what an item of a distributor invoice should cost after the distributor's price list.
-- Grain: one item that a price list row fits.
-- Keys: charge_id.
-- Inputs: attributed_charges, known_distributor_price_lists.
-- Params: none.
-- Units: expected_unit_cost in currency per unit, to 18 decimals.
-- Fails: never; null where the row needs a list price and the file has none. The row in force on the day of the invoice
--     counts, of volume breaks the largest that the quantity reaches. The SRP stays whole, whatever the break.
with

items as (
    select
        charge_id,
        product_id,
        quantity,
        file_list_price,
        coalesce(invoice_day, term_day) as invoice_day,
        received_at,
        seen_at,
    from attributed_charges
    where line_number is not null
),

price_lists as (
    select * from known_distributor_price_lists
    where coalesce(is_active, true)
),

candidates as (
    select
        items.charge_id,
        items.file_list_price,
        price_lists.price_list_id,
        price_lists.method,
        price_lists.distributor_cost,
        price_lists.percent,
        row_number() over (
            partition by items.charge_id
            order by
                -- The break goes where the strength of a term goes: of the rows known, the largest that is reached.
                knowledge_order(
                    price_lists.recorded_at,
                    price_lists.withdrawn_at,
                    items.received_at,
                    -coalesce(price_lists.from_quantity, 0),
                    price_lists.source_row
                )
        ) as choice,
    from items
    inner join price_lists
        on
            items.product_id = price_lists.product_id
            and items.invoice_day >= price_lists.valid_from
            and (items.invoice_day < price_lists.valid_to or price_lists.valid_to is null)
            and items.quantity >= coalesce(price_lists.from_quantity, 0)
    where
        is_usable(price_lists.recorded_at, price_lists.withdrawn_at, items.received_at, items.seen_at)
),

expected as (
    select
        charge_id,
        price_list_id,
        case method
            when 'percent_of_sell_price'
                then cast(
                        file_list_price * cast(1 - percent * cast(0.01 as decimal(3, 2)) as decimal(10, 6))
                        as decimal(38, 18)
                    )
            when 'percent_of_cost'
                then adjusted(
                        cast(distributor_cost as decimal(38, 24)),
                        cast(1 + percent * cast(0.01 as decimal(3, 2)) as decimal(14, 6))
                    )
        end as precise_unit_cost,
    from candidates
    where choice = 1
)

select
    charge_id,
    price_list_id,
    cast(precise_unit_cost as decimal(38, 18)) as expected_unit_cost,
from expected
