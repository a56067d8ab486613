-- What: the one term that sets the price, for each situation in which a charge can be.
-- Grain: one situation that any term fits.
-- Keys: situation_id.
-- Inputs: term_scopes, assigned_pricebooks, known_special_prices, known_pricebook_prices, known_pricing_rules.
-- Params: none.
-- Units: percent as a number (12.5 is 12.5 %), unit_price per unit (or package) in term_currency; a special price
--     without currency is in the customer's invoice currency. Instants: fits_since, since when the term fits, if that
--     was later than known_at; priced_as_of, whose knowledge made the price; priced_at, when there was one.
-- Fails: a situation without any term is absent from the result. First match wins: special price; pricebook of the
--     account, then of the customer; pricing rule; within a pricebook and within the rules: product, then its type,
--     then its vendor. Terms known at known_at come first, of one kind the one recorded last; only where none was known
--     does a later one fill the gap, and then the one recorded first (macro knowledge_order). A term fits later than it
--     was recorded if the catalogue's product or the pricebook was assigned later. Of a price with tiers one row is the
--     result; sql/pricing/tier_rows.sql has them all.
with

term_scopes as (
    select * from term_scopes
),

assigned_pricebooks as (
    select * from assigned_pricebooks
),

special_prices as (
    select * from known_special_prices
),

pricebook_prices as (
    select * from known_pricebook_prices
),

pricing_rules as (
    select * from known_pricing_rules
),

matched as (
    select
        term_scopes.situation_id,
        term_scopes.known_at,
        term_scopes.seen_at,
        term_scopes.customer_since,
        term_scopes.named_since as fits_since,
        1 as priority,
        'special_price' as price_term,
        special_prices.special_price_id as price_term_id,
        cast(null as varchar) as price_scope,
        cast(null as varchar) as price_scope_id,
        special_prices.method,
        special_prices.percent,
        special_prices.unit_price,
        coalesce(special_prices.currency, term_scopes.customer_currency) as term_currency,
        false as has_tiers,
        special_prices.recorded_at,
        special_prices.withdrawn_at,
        special_prices.source_row,
    from term_scopes
    inner join special_prices
        on
            term_scopes.scope = 'product'
            and term_scopes.scope_id = special_prices.product_id
            and term_scopes.customer_id = special_prices.customer_id
            and term_scopes.term_day >= special_prices.valid_from
            and (term_scopes.term_day < special_prices.valid_to or special_prices.valid_to is null)
    union all
    select
        term_scopes.situation_id,
        term_scopes.known_at,
        term_scopes.seen_at,
        term_scopes.customer_since,
        greatest(term_scopes.named_since, assigned_pricebooks.assigned_since) as fits_since,
        case assigned_pricebooks.assigned_to when 'account' then 10 else 20 end + term_scopes.scope_rank as priority,
        'pricebook' as price_term,
        pricebook_prices.pricebook_id as price_term_id,
        pricebook_prices.scope as price_scope,
        pricebook_prices.scope_id as price_scope_id,
        pricebook_prices.method,
        pricebook_prices.percent,
        pricebook_prices.unit_price,
        assigned_pricebooks.currency as term_currency,
        pricebook_prices.method in ('graduated', 'volume', 'package')
        or coalesce(pricebook_prices.from_quantity, 0) > 0
        or pricebook_prices.to_quantity is not null as has_tiers,
        pricebook_prices.recorded_at,
        pricebook_prices.withdrawn_at,
        pricebook_prices.source_row,
    from term_scopes
    inner join assigned_pricebooks
        on term_scopes.situation_id = assigned_pricebooks.situation_id
    inner join pricebook_prices
        on
            assigned_pricebooks.pricebook_id = pricebook_prices.pricebook_id
            and term_scopes.scope = pricebook_prices.scope
            and term_scopes.scope_id = pricebook_prices.scope_id
            and term_scopes.term_day >= pricebook_prices.valid_from
            and (term_scopes.term_day < pricebook_prices.valid_to or pricebook_prices.valid_to is null)
    union all
    select
        term_scopes.situation_id,
        term_scopes.known_at,
        term_scopes.seen_at,
        term_scopes.customer_since,
        term_scopes.named_since as fits_since,
        30 + term_scopes.scope_rank as priority,
        'pricing_rule' as price_term,
        pricing_rules.rule_id as price_term_id,
        pricing_rules.scope as price_scope,
        pricing_rules.scope_id as price_scope_id,
        pricing_rules.method,
        pricing_rules.percent,
        cast(null as decimal(38, 18)) as unit_price,
        cast(null as varchar) as term_currency,
        false as has_tiers,
        pricing_rules.recorded_at,
        pricing_rules.withdrawn_at,
        pricing_rules.source_row,
    from term_scopes
    inner join pricing_rules
        on
            term_scopes.scope = pricing_rules.scope
            and term_scopes.scope_id = pricing_rules.scope_id
            and term_scopes.term_day >= pricing_rules.valid_from
            and (term_scopes.term_day < pricing_rules.valid_to or pricing_rules.valid_to is null)
),

dated as (
    select
        *,
        greatest(recorded_at, fits_since) as counts_from,
    from matched
),

ranked as (
    select
        *,
        row_number() over (
            partition by situation_id
            order by
                knowledge_order(
                    counts_from,
                    withdrawn_at,
                    known_at,
                    row(priority, -epoch_us(recorded_at)),
                    source_row
                )
        ) as choice,
    from dated
    where is_usable(counts_from, withdrawn_at, known_at, seen_at)
),

chosen as (
    select
        *,
        -- What else holds for the price is what was known when it came about.
        case when counts_from <= known_at then known_at else greatest(counts_from, seen_at) end as priced_as_of,
    from ranked
    where choice = 1
),

selected as (
    select
        situation_id,
        price_term,
        price_term_id,
        price_scope,
        price_scope_id,
        method,
        percent,
        unit_price,
        term_currency,
        has_tiers,
        fits_since,
        priced_as_of,
        greatest(priced_as_of, case when customer_since is not null then greatest(customer_since, seen_at) end)
            as priced_at,
    from chosen
)

select * from selected
