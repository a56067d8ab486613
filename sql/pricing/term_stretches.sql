-- What: for each day of a charge, the first day of the stretch of days with the same mappings and terms in force.
--     Between two ends of validity nothing changes, so what is true of the first day is true of them all: terms are
--     looked up once a stretch, usually a month, instead of once a day.
-- Grain: one day of a charge.
-- Keys: term_day.
-- Inputs: dated_charges (usage and items), term_ranges (valid_from and valid_to of every mapping and term).
-- Params: none.
-- Units: none.
-- Fails: never; a day before anything is in force is its own stretch.
with

days as (
    select distinct term_day
    from dated_charges
),

boundaries as (
    select valid_from as boundary_day
    from term_ranges
    union
    select valid_to
    from term_ranges
),

stretches as (
    select
        days.term_day,
        coalesce(max(boundaries.boundary_day), days.term_day) as stretch_day,
    from days
    left join boundaries
        on days.term_day >= boundaries.boundary_day
    group by days.term_day
)

select * from stretches
