-- What: every row of the pricebook price that a situation with tiers uses, the one that counts first where several
--     versions of the price hold the same quantity.
-- Grain: situation and pricebook row of the selected price.
-- Keys: situation_id, tier_rank.
-- Inputs: selected_terms (those with tiers are looked at), attributed_situations, known_pricebook_prices.
-- Params: none.
-- Units: quantities in the charge's unit; percent as a number; unit_price per unit, or per package.
-- Fails: never; at every quantity the row with the smallest tier_rank counts (macro knowledge_order).
with

selected_terms as (
    select * from selected_terms
    where has_tiers
),

situations as (
    select * from attributed_situations
),

known_pricebook_prices as (
    select * from known_pricebook_prices
),

rows_of_price as (
    select
        situations.situation_id,
        situations.known_at,
        situations.seen_at,
        greatest(known_pricebook_prices.recorded_at, selected_terms.fits_since) as counts_from,
        known_pricebook_prices.percent,
        known_pricebook_prices.unit_price,
        known_pricebook_prices.package_size,
        coalesce(known_pricebook_prices.from_quantity, 0) as from_quantity,
        known_pricebook_prices.to_quantity,
        known_pricebook_prices.recorded_at,
        known_pricebook_prices.withdrawn_at,
        known_pricebook_prices.source_row,
    from selected_terms
    inner join situations
        on selected_terms.situation_id = situations.situation_id
    inner join known_pricebook_prices
        on
            selected_terms.price_term_id = known_pricebook_prices.pricebook_id
            and selected_terms.price_scope = known_pricebook_prices.scope
            and selected_terms.price_scope_id = known_pricebook_prices.scope_id
            and selected_terms.method = known_pricebook_prices.method
            and situations.term_day >= known_pricebook_prices.valid_from
            and (situations.term_day < known_pricebook_prices.valid_to or known_pricebook_prices.valid_to is null)
),

tier_rows as (
    select
        situation_id,
        row_number() over (
            partition by situation_id
            order by knowledge_order(counts_from, withdrawn_at, known_at, -epoch_us(recorded_at), source_row)
        ) as tier_rank,
        percent,
        unit_price,
        package_size,
        from_quantity,
        to_quantity,
    from rows_of_price
    where is_usable(counts_from, withdrawn_at, known_at, seen_at)
)

select * from tier_rows
