-- What: charges with the price their term gives them, with everything that made the price frozen beside it.
-- Grain: one charge, as the input.
-- Keys: line_item_id (one to one with charge_id).
-- Inputs: attributed_charges (without credit notes), selected_terms.
-- Params: none.
-- Units: unit_* in currency per unit, total_* in currency; percent as a number.
-- Fails: never drops a charge. What has no term, or whose term cannot price it, keeps total_sell null and a reason.
--     Usage is priced on amounts (markup on the cost as billed, SRP is the list cost); items on unit price x quantity.
--     A fixed price whose product with the quantity would not be exact prices nothing, instead of being rounded.
with

attributed_charges as (
    select * from attributed_charges
),

selected_terms as (
    select * from selected_terms
),

with_terms as (
    select
        attributed_charges.*,
        selected_terms.price_term,
        selected_terms.price_term_id,
        selected_terms.method,
        selected_terms.percent,
        selected_terms.unit_price,
        selected_terms.term_currency,
        attributed_charges.line_number is not null as is_item,
        cast(1 + selected_terms.percent * cast(0.01 as decimal(3, 2)) as decimal(16, 6)) as markup_multiplier,
        cast(selected_terms.percent * cast(0.01 as decimal(3, 2)) as decimal(16, 6)) as share_multiplier,
    from attributed_charges
    left join selected_terms
        on
            attributed_charges.customer_id = selected_terms.customer_id
            and attributed_charges.product_id is not distinct from selected_terms.product_id
            and attributed_charges.product_type is not distinct from selected_terms.product_type
            and attributed_charges.vendor = selected_terms.vendor
            and attributed_charges.term_day = selected_terms.term_day
            and attributed_charges.received_at = selected_terms.received_at
            and attributed_charges.charge_nature = 'usage'
),

item_prices as (
    select
        *,
        case
            when not is_item then null
            when method = 'markup' then cast(file_unit_cost * markup_multiplier as decimal(38, 15))
            when method = 'srp' then cast(file_list_price as decimal(38, 15))
            when method = 'percent_of_srp' then cast(file_list_price * share_multiplier as decimal(38, 15))
            when
                method = 'fixed'
                and term_currency = currency
                and unit_price = cast(unit_price as decimal(38, 15))
                then cast(unit_price as decimal(38, 15))
        end as item_unit_sell,
        case
            when is_item then null
            when charge_nature = 'marketplace_fee' then cast(cost as decimal(38, 24))
            when method = 'markup' then cast(cost * markup_multiplier as decimal(38, 24))
            when method = 'srp' then cast(list_cost as decimal(38, 24))
            when method = 'percent_of_srp' then cast(list_cost * share_multiplier as decimal(38, 24))
            when
                method = 'fixed'
                and term_currency = currency
                and quantity = cast(quantity as decimal(38, 15))
                and unit_price = cast(unit_price as decimal(28, 9))
                then cast(cast(quantity as decimal(38, 15)) * cast(unit_price as decimal(28, 9)) as decimal(38, 24))
        end as usage_total_sell,
    from with_terms
),

totals as (
    select
        *,
        case
            when is_item then cast(cast(quantity as decimal(28, 9)) * item_unit_sell as decimal(38, 24))
            else usage_total_sell
        end as total_sell,
        case
            when is_item then cast(cast(quantity as decimal(28, 9)) * file_unit_cost as decimal(38, 24))
            else cast(cost as decimal(38, 24))
        end as total_cost,
        case
            when is_item then cast(cast(quantity as decimal(28, 9)) * file_list_price as decimal(38, 24))
            else cast(list_cost as decimal(38, 24))
        end as total_list,
    from item_prices
),

priced as (
    select
        *,
        -- Usage has no honest unit price; what is shown as one is made in the marts.
        cast(file_unit_cost as decimal(38, 18)) as unit_cost,
        cast(item_unit_sell as decimal(38, 18)) as unit_sell,
        cast(file_list_price as decimal(38, 18)) as srp,
        case
            when total_sell is not null then null
            when charge_nature <> 'usage' then null
            when customer_id is null then null
            when method is null then 'no special price and no pricing rule for this product, its type or its vendor'
            when method in ('srp', 'percent_of_srp') then 'the term needs an SRP and the vendor''s file has none'
            when coalesce(term_currency <> currency, true) then 'the fixed price is in another currency than the charge'
            when is_item then 'a fixed price of an item has at most 15 decimals'
            else 'a fixed price of usage has at most 9 decimals and needs a quantity of at most 15'
        end as unpriced_reason,
    from totals
)

select * from priced
