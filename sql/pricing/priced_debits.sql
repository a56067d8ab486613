-- What: charges with the price their term gives them, with everything that made the price frozen beside it.
-- Grain: one charge, as the input.
-- Keys: line_item_id (one to one with charge_id).
-- Inputs: attributed_charges (without credit notes), selected_terms, tiered_prices, selected_adjustments,
--     expected_unit_costs.
-- Params: none.
-- Units: unit_* in currency per unit, total_* in currency; percent as a number.
-- Fails: never drops a charge. What has no term, or whose term cannot price it, keeps total_sell null and a reason.
--     Usage is priced on amounts (markup on the cost as billed, SRP is the list cost); items on unit price x quantity.
--     A fixed price whose product with the quantity would not be exact prices nothing, instead of being rounded. A
--     global adjustment comes after the price: the unit price of an item is then kept to 15 decimals, the amount of
--     usage to 24, half away from zero, and a note says so where that rounds.
with

attributed_charges as (
    select * from attributed_charges
),

selected_terms as (
    select * from selected_terms
),

tiered_prices as (
    select * from tiered_prices
),

selected_adjustments as (
    select * from selected_adjustments
),

expected_unit_costs as (
    select * from expected_unit_costs
),

situation_terms as (
    select
        selected_terms.situation_id,
        selected_terms.price_term,
        selected_terms.price_term_id,
        selected_terms.price_scope,
        selected_terms.price_scope_id,
        selected_terms.method,
        selected_terms.percent,
        selected_terms.unit_price,
        selected_terms.term_currency,
        selected_terms.has_tiers,
        selected_adjustments.adjustment_percent,
        selected_adjustments.adjustment_ids,
        cast(1 + selected_adjustments.adjustment_percent * cast(0.01 as decimal(3, 2)) as decimal(14, 6))
            as adjustment_multiplier,
    from selected_terms
    left join selected_adjustments
        on selected_terms.situation_id = selected_adjustments.situation_id
),

with_terms as (
    select
        attributed_charges.*,
        situation_terms.price_term,
        situation_terms.price_term_id,
        situation_terms.price_scope,
        situation_terms.price_scope_id,
        situation_terms.method,
        situation_terms.term_currency,
        situation_terms.adjustment_percent,
        situation_terms.adjustment_ids,
        situation_terms.adjustment_multiplier,
        tiered_prices.tier_quantity,
        tiered_prices.tier_amount,
        tiered_prices.tier_problem,
        attributed_charges.line_number is not null as is_item,
        case when situation_terms.has_tiers then tiered_prices.tier_method else situation_terms.method end
            as unit_method,
        case when situation_terms.has_tiers then tiered_prices.tier_percent else situation_terms.percent end
            as percent,
        case when situation_terms.has_tiers then tiered_prices.tier_unit_price else situation_terms.unit_price end
            as unit_price,
    from attributed_charges
    left join situation_terms
        on
            attributed_charges.situation_id = situation_terms.situation_id
            and attributed_charges.charge_nature = 'usage'
    left join tiered_prices
        on attributed_charges.charge_id = tiered_prices.charge_id
),

multiplied as (
    select
        *,
        case
            when unit_method = 'markup' then cast(1 + percent * cast(0.01 as decimal(3, 2)) as decimal(16, 6))
            when unit_method = 'percent_of_srp' then cast(percent * cast(0.01 as decimal(3, 2)) as decimal(16, 6))
            when unit_method = 'srp_discount' then cast(1 - percent * cast(0.01 as decimal(3, 2)) as decimal(16, 6))
        end as multiplier,
        -- Whatever the discounts, a customer is not paid for what he buys.
        coalesce(adjustment_percent <= -100, false) as has_impossible_discount,
    from with_terms
),

prices as (
    select
        *,
        case
            when not is_item or has_impossible_discount then null
            when unit_method = 'markup' then cast(file_unit_cost * multiplier as decimal(38, 15))
            when unit_method = 'srp' then cast(file_list_price as decimal(38, 15))
            when unit_method in ('percent_of_srp', 'srp_discount')
                then cast(file_list_price * multiplier as decimal(38, 15))
            when
                unit_method = 'fixed'
                and term_currency = currency
                and unit_price = cast(unit_price as decimal(38, 15))
                then cast(unit_price as decimal(38, 15))
        end as unit_before_adjustment,
        case
            when has_impossible_discount then null
            when charge_nature = 'marketplace_fee' then cast(cost as decimal(38, 24))
            when unit_method = 'amount' and term_currency = currency then tier_amount
            when is_item then null
            when unit_method = 'markup' then cast(cost * multiplier as decimal(38, 24))
            when unit_method = 'srp' then cast(list_cost as decimal(38, 24))
            when unit_method in ('percent_of_srp', 'srp_discount')
                then cast(list_cost * multiplier as decimal(38, 24))
            when
                unit_method = 'fixed'
                and term_currency = currency
                and quantity = cast(quantity as decimal(38, 15))
                and unit_price = cast(unit_price as decimal(28, 9))
                then cast(cast(quantity as decimal(38, 15)) * cast(unit_price as decimal(28, 9)) as decimal(38, 24))
        end as amount_before_adjustment,
    from multiplied
),

adjusted_prices as (
    select
        *,
        case
            when adjustment_multiplier is null then unit_before_adjustment
            else cast(cast(unit_before_adjustment as decimal(31, 15)) * adjustment_multiplier as decimal(38, 15))
        end as item_unit_sell,
        case
            when adjustment_multiplier is null then amount_before_adjustment
            else adjusted(amount_before_adjustment, adjustment_multiplier)
        end as whole_amount,
        case
            when adjustment_multiplier is null then false
            when unit_before_adjustment is not null
                then
                    cast(unit_before_adjustment as decimal(31, 15)) * adjustment_multiplier
                    <> cast(cast(unit_before_adjustment as decimal(31, 15)) * adjustment_multiplier as decimal(38, 15))
            else not is_exactly_adjusted(amount_before_adjustment, adjustment_multiplier)
        end as is_rounded,
    from prices
),

totals as (
    select
        *,
        case
            when unit_before_adjustment is not null
                then cast(cast(quantity as decimal(28, 9)) * unit_before_adjustment as decimal(38, 24))
            else amount_before_adjustment
        end as total_before_adjustment,
        case
            when item_unit_sell is not null
                then cast(cast(quantity as decimal(28, 9)) * item_unit_sell as decimal(38, 24))
            else whole_amount
        end as total_sell,
        case
            when is_item then cast(cast(quantity as decimal(28, 9)) * file_unit_cost as decimal(38, 24))
            else cast(cost as decimal(38, 24))
        end as total_cost,
        case
            when is_item then cast(cast(quantity as decimal(28, 9)) * file_list_price as decimal(38, 24))
            else cast(list_cost as decimal(38, 24))
        end as total_list,
    from adjusted_prices
),

priced as (
    select
        totals.* exclude (note),
        nullif(
            concat_ws(
                '; ',
                totals.note,
                case
                    when totals.is_rounded and totals.item_unit_sell is not null
                        then 'the adjusted unit price is rounded to 15 decimals'
                    when totals.is_rounded then 'the adjusted price is rounded to 24 decimals'
                end
            ), ''
        ) as note,
        -- Usage has no honest unit price; what is shown as one is made in the marts.
        cast(totals.file_unit_cost as decimal(38, 18)) as unit_cost,
        cast(totals.item_unit_sell as decimal(38, 18)) as unit_sell,
        cast(totals.file_list_price as decimal(38, 18)) as srp,
        totals.unit_price as price_unit_price,
        expected_unit_costs.price_list_id,
        expected_unit_costs.expected_unit_cost,
        case
            when totals.total_sell is not null then null
            when totals.charge_nature <> 'usage' then null
            when totals.customer_id is null then null
            when totals.method is null
                then 'no special price, no pricebook price and no pricing rule for this product, its type or its vendor'
            when totals.has_impossible_discount
                then 'the global adjustments add up to ' || shown_number(totals.adjustment_percent) || ' %'
            when totals.tier_problem is not null then totals.tier_problem
            when totals.unit_method in ('srp', 'percent_of_srp', 'srp_discount')
                then 'the term needs an SRP and the vendor''s file has none'
            when coalesce(totals.term_currency <> totals.currency, true)
                then 'the fixed price is in another currency than the charge'
            when totals.is_item then 'a fixed price of an item has at most 15 decimals'
            else 'a fixed price of usage has at most 9 decimals and needs a quantity of at most 15'
        end as unpriced_reason,
    from totals
    left join expected_unit_costs
        on totals.charge_id = expected_unit_costs.charge_id
)

select * from priced
