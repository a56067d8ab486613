-- What: the distinct situations in which charges are: everything that decides whose a charge is and which terms hold
--     for it. There are a few thousand where there are a million charges, so all terms are looked up here, once.
-- Grain: delivery, account, vendor product, stretch of days, and instant whose knowledge counts.
-- Keys: situation_id; also all other columns together.
-- Inputs: dated_charges (usage_charges and item_charges), term_stretches.
-- Params: none.
-- Units: none.
-- Fails: never; every charge is in exactly one situation. situation_id is a key of this session only.
with

dated_charges as (
    select * from dated_charges
),

term_stretches as (
    select * from term_stretches
),

distinct_facts as (
    select distinct
        dated_charges.delivery_id,
        dated_charges.source,
        dated_charges.vendor,
        dated_charges.sub_account_id,
        dated_charges.vendor_product_id,
        dated_charges.vendor_product_type,
        dated_charges.line_number is not null as is_item,
        term_stretches.stretch_day as term_day,
        dated_charges.known_at,
        dated_charges.seen_at,
    from dated_charges
    inner join term_stretches
        on dated_charges.term_day = term_stretches.term_day
),

situations as (
    select
        row_number() over () as situation_id,
        *,
    from distinct_facts
)

select * from situations
