-- What: what the tiers of a pricebook come to for each charge: an amount, or the row that prices every unit of it.
-- Grain: one charge with a tiered price, as the input.
-- Keys: charge_id.
-- Inputs: tiered_charges, tier_rows, graduated_slices.
-- Params: none.
-- Units: tier_amount in the pricebook's currency, exact to 24 decimals; tier_percent as a number; quantities in the
--     charge's unit.
-- Fails: never drops a charge; what the tiers cannot price has tier_problem. A graduated price F is taken in slices: a
--     charge costs F(quantity up to and with it) - F(quantity before it), so that charges add up to F(total) exactly;
--     F(-q) = -F(q). So is a package price, F(q) = packages begun x price of a package. Where F(total) has no price, no
--     charge has: what is priced does not depend on how a quantity is cut into charges.
with

tiered_charges as (
    select
        *,
        quantity_before = cast(quantity_before as decimal(38, 15))
        and quantity_after = cast(quantity_after as decimal(38, 15)) as has_exact_quantity,
    from tiered_charges
),

tier_rows as (
    select * from tier_rows
),

graduated_slices as (
    select
        *,
        unit_price = cast(unit_price as decimal(28, 9)) as has_exact_price,
    from graduated_slices
),

row_candidates as (
    select
        tiered_charges.charge_id,
        tier_rows.percent,
        tier_rows.unit_price,
        tier_rows.package_size,
        row_number() over (
            partition by tiered_charges.charge_id
            order by tier_rows.tier_rank
        ) as choice,
    from tiered_charges
    inner join tier_rows
        on
            tiered_charges.situation_id = tier_rows.situation_id
            and abs(tiered_charges.tier_quantity) >= tier_rows.from_quantity
            and (abs(tiered_charges.tier_quantity) < tier_rows.to_quantity or tier_rows.to_quantity is null)
    where tiered_charges.method <> 'graduated'
),

chosen_rows as (
    select * from row_candidates
    where choice = 1
),

charge_slices as (
    select
        tiered_charges.charge_id,
        graduated_slices.unit_price,
        graduated_slices.has_exact_price,
        slice_quantity(tiered_charges.quantity_after, graduated_slices.slice_from, graduated_slices.slice_to)
        - slice_quantity(tiered_charges.quantity_before, graduated_slices.slice_from, graduated_slices.slice_to)
            as quantity,
        slice_quantity(tiered_charges.tier_quantity, graduated_slices.slice_from, graduated_slices.slice_to)
            as whole_quantity,
    from tiered_charges
    inner join graduated_slices
        on tiered_charges.situation_id = graduated_slices.situation_id
    where tiered_charges.method = 'graduated' and tiered_charges.has_exact_quantity
),

graduated as (
    select
        charge_id,
        bool_or(unit_price is null) as has_gap,
        bool_and(coalesce(has_exact_price, true)) as has_exact_prices,
        cast(
            sum(
                cast(quantity as decimal(38, 15))
                * case when has_exact_price then cast(unit_price as decimal(28, 9)) end
            ) as decimal(38, 24)
        ) as amount,
    from charge_slices
    where quantity <> 0 or whole_quantity <> 0
    group by charge_id
),

joined as (
    select
        tiered_charges.charge_id,
        tiered_charges.tier_quantity,
        tiered_charges.quantity_before,
        tiered_charges.quantity_after,
        tiered_charges.has_exact_quantity,
        tiered_charges.method,
        chosen_rows.charge_id is not null as has_row,
        chosen_rows.percent,
        chosen_rows.unit_price,
        chosen_rows.unit_price = cast(chosen_rows.unit_price as decimal(28, 9)) as has_exact_price,
        chosen_rows.package_size,
        graduated.has_gap,
        coalesce(graduated.has_exact_prices, true) as has_exact_prices,
        coalesce(graduated.amount, 0) as graduated_amount,
    from tiered_charges
    left join chosen_rows
        on tiered_charges.charge_id = chosen_rows.charge_id
    left join graduated
        on tiered_charges.charge_id = graduated.charge_id
),

priced as (
    select
        charge_id,
        tier_quantity,
        case
            when tier_quantity is null then 'unknown'
            when method in ('graduated', 'package') then 'amount'
            when method = 'volume' and unit_price is not null then 'fixed'
            when method = 'volume' then 'markup'
            else method
        end as tier_method,
        percent as tier_percent,
        unit_price as tier_unit_price,
        case
            when tier_quantity is null or not has_exact_quantity then null
            when method = 'graduated' and not coalesce(has_gap, false) and has_exact_prices then graduated_amount
            when method = 'package' and has_exact_price
                then cast(
                        cast(
                            packages_begun(quantity_after, package_size) - packages_begun(quantity_before, package_size)
                            as decimal(18, 0)
                        ) * cast(unit_price as decimal(28, 9))
                        as decimal(38, 24)
                    )
        end as tier_amount,
        case
            when tier_quantity is null then 'the price has tiers and a charge of the product has no quantity'
            when method = 'graduated' and coalesce(has_gap, false)
                then 'no tier of the pricebook holds every unit of a quantity of ' || shown_number(tier_quantity)
            when method <> 'graduated' and not has_row
                then 'no tier of the pricebook holds a quantity of ' || shown_number(tier_quantity)
            when method in ('graduated', 'package') and not has_exact_quantity
                then 'a price with tiers needs quantities of at most 15 decimals'
            when
                (method = 'graduated' and not has_exact_prices)
                or (method = 'package' and not has_exact_price)
                then 'a price with tiers has at most 9 decimals'
        end as tier_problem,
    from joined
)

select * from priced
