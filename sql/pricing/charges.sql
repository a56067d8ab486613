-- What: charges of usage feeds and distributor items together, with the day whose mappings and terms hold for them.
-- Grain: one charge.
-- Keys: charge_id.
-- Inputs: dated_charges (usage_charges and item_charges), term_stretches.
-- Params: none.
-- Units: as the input.
-- Fails: never drops a charge.
with

dated_charges as (
    select * from dated_charges
),

term_stretches as (
    select * from term_stretches
),

charges as (
    select
        dated_charges.* exclude (term_day),
        term_stretches.stretch_day as term_day,
    from dated_charges
    left join term_stretches
        on dated_charges.term_day = term_stretches.term_day
)

select * from charges
