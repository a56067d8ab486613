-- What: the global adjustments of a situation, added up.
-- Grain: one situation that any adjustment fits.
-- Keys: situation_id.
-- Inputs: attributed_situations, selected_terms, known_global_adjustments.
-- Params: none.
-- Units: adjustment_percent as a number, negative is a discount; adjustment_ids sorted, separated by `;`.
-- Fails: never. One row per customer, vendor and `all` counts: the one recorded last of those that were known when the
--     price came about. To have no adjustment is no gap, so one that is recorded later changes no price.
with

situations as (
    select * from attributed_situations
),

selected_terms as (
    select * from selected_terms
),

known_global_adjustments as (
    select * from known_global_adjustments
),

priced_situations as (
    select
        situations.situation_id,
        situations.customer_id,
        situations.vendor,
        situations.term_day,
        selected_terms.priced_as_of,
    from situations
    inner join selected_terms
        on situations.situation_id = selected_terms.situation_id
),

scopes as (
    select
        *,
        'customer' as scope,
        customer_id as scope_id,
    from priced_situations
    union all
    select
        *,
        'vendor' as scope,
        vendor as scope_id,
    from priced_situations
    union all
    select
        *,
        'all' as scope,
        '' as scope_id,
    from priced_situations
),

candidates as (
    select
        scopes.situation_id,
        known_global_adjustments.adjustment_id,
        known_global_adjustments.percent,
        row_number() over (
            partition by scopes.situation_id, scopes.scope
            order by
                knowledge_order(
                    known_global_adjustments.recorded_at,
                    known_global_adjustments.withdrawn_at,
                    scopes.priced_as_of,
                    1,
                    known_global_adjustments.source_row
                )
        ) as choice,
    from scopes
    inner join known_global_adjustments
        on
            scopes.scope = known_global_adjustments.scope
            and scopes.scope_id = coalesce(known_global_adjustments.scope_id, '')
            and scopes.term_day >= known_global_adjustments.valid_from
            and (scopes.term_day < known_global_adjustments.valid_to or known_global_adjustments.valid_to is null)
    where
        known_global_adjustments.recorded_at <= scopes.priced_as_of
        and is_usable(
            known_global_adjustments.recorded_at,
            known_global_adjustments.withdrawn_at,
            scopes.priced_as_of,
            scopes.priced_as_of
        )
),

adjustments as (
    select
        situation_id,
        cast(sum(percent) as decimal(12, 4)) as adjustment_percent,
        string_agg(adjustment_id, ';' order by adjustment_id) as adjustment_ids,
    from candidates
    where choice = 1
    group by situation_id
)

select * from adjustments
