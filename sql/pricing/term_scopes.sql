-- What: what a term may name to fit a situation: its product, the product's type, its vendor.
-- Grain: situation, scope and name.
-- Keys: situation_id, scope, scope_id, named_since.
-- Inputs: attributed_situations.
-- Params: none.
-- Units: named_since is an instant.
-- Fails: never; a situation without customer has no scopes. Until the catalogue has a product, terms name what the
--     vendor calls it. Where the product was recorded after known_at, the vendor's names stay beside ours, which fit
--     from named_since on: prices made under the vendor's names do not change.
with

situations as (
    select * from attributed_situations
    where customer_id is not null
),

named as (
    select
        *,
        product_id as named_product_id,
        product_type as named_product_type,
        product_since as named_since,
    from situations
    union all
    select
        *,
        vendor_product_id as named_product_id,
        vendor_product_type as named_product_type,
        cast(null as timestamp with time zone) as named_since,
    from situations
    where product_since is not null
),

scopes as (
    select
        *,
        'product' as scope,
        named_product_id as scope_id,
        1 as scope_rank,
    from named
    union all
    select
        *,
        'product_type' as scope,
        named_product_type as scope_id,
        2 as scope_rank,
    from named
    union all
    select
        *,
        'vendor' as scope,
        vendor as scope_id,
        3 as scope_rank,
    from named
    where named_since is null
),

term_scopes as (
    select
        situation_id,
        scope,
        scope_id,
        scope_rank,
        named_since,
        customer_id,
        customer_currency,
        customer_since,
        term_day,
        known_at,
        seen_at,
    from scopes
    where scope_id is not null
)

select * from term_scopes
