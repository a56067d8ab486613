-- What: the quantity axis of every graduated price, cut so that one price holds in each slice.
-- Grain: situation and slice.
-- Keys: situation_id, slice_from.
-- Inputs: tier_rows.
-- Params: none.
-- Units: quantities in the charge's unit; unit_price per unit; the last slice has no slice_to.
-- Fails: never; a slice that no row holds has no unit_price.
with

tier_rows as (
    select * from tier_rows
),

bounds as (
    select
        situation_id,
        from_quantity as bound,
    from tier_rows
    union
    select
        situation_id,
        to_quantity as bound,
    from tier_rows
    where to_quantity is not null
    union
    select
        situation_id,
        cast(0 as decimal(38, 18)) as bound,
    from tier_rows
),

slices as (
    select
        situation_id,
        bound as slice_from,
        lead(bound) over (partition by situation_id order by bound) as slice_to,
    from bounds
),

candidates as (
    select
        slices.situation_id,
        slices.slice_from,
        slices.slice_to,
        tier_rows.unit_price,
        row_number() over (
            partition by slices.situation_id, slices.slice_from
            order by tier_rows.tier_rank
        ) as choice,
    from slices
    left join tier_rows
        on
            slices.situation_id = tier_rows.situation_id
            and slices.slice_from >= tier_rows.from_quantity
            and (slices.slice_from < tier_rows.to_quantity or tier_rows.to_quantity is null)
),

priced_slices as (
    select
        situation_id,
        slice_from,
        slice_to,
        unit_price,
    from candidates
    where choice = 1
)

select * from priced_slices
