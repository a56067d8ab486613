-- What: everything that a source's month waits for, in words; and what is merely left lying.
-- Grain: source, billing period and thing awaited.
-- Keys: source, billing_period, place, text.
-- Inputs: source_months (source, billing_period, has_accounts, expected_settled_from, expected_settled_on),
--     known_deliveries (with is_current), delivered_accounts (source, billing_account_id, billing_period of all months'
--     current deliveries), open_files (see resources/open_files.py), vendor_differences, vendor_totals (in force).
-- Params: $as_of_day: the day on which the question is asked.
-- Units: amounts in currency.
-- Fails: never; a month of which nothing keeps it open (keeps_open) is settled.
with

source_months as (
    select
        source,
        billing_period,
        has_accounts,
        expected_settled_from,
        expected_settled_on,
        strftime(cast(billing_period || '-01' as date) - interval 1 month, '%Y-%m') as previous_period,
        cast(cast(billing_period || '-01' as date) + interval 1 month as date) as ends_before,
    from source_months
),

delivered as (
    select
        source,
        billing_period,
        -- A proforma invoice bills nothing, and may never become one that does.
        bool_and(is_final or coalesce(invoice_status, '') = 'proforma') as is_final,
        count(distinct delivery_id) filter (where invoice_status = 'pending') as pending_count,
    from known_deliveries
    where is_current
    group by
        source,
        billing_period
),

-- A vendor that charges nothing sends no file; totals of 0 that are final say so.
nothing_charged as (
    select
        source,
        billing_account_id,
        billing_period,
    from vendor_totals
    group by
        source,
        billing_account_id,
        billing_period
    having bool_and(is_final and net_total = 0 and coalesce(tax_total, 0) = 0)
),

nothing_charged_by_source as (
    select
        vendor_totals.source,
        vendor_totals.billing_period,
    from vendor_totals
    left join nothing_charged
        on
            vendor_totals.source = nothing_charged.source
            and vendor_totals.billing_account_id = nothing_charged.billing_account_id
            and vendor_totals.billing_period = nothing_charged.billing_period
    group by
        vendor_totals.source,
        vendor_totals.billing_period
    having bool_and(nothing_charged.source is not null)
),

running as (
    select
        source,
        billing_period,
        1 as place,
        true as keeps_open,
        'the month runs until ' || strftime(ends_before - interval 1 day, '%Y-%m-%d') as text,
    from source_months
    where $as_of_day < ends_before
),

no_delivery as (
    select
        source_months.source,
        source_months.billing_period,
        2 as place,
        true as keeps_open,
        'no delivery yet' as text,
    from source_months
    left join delivered
        on source_months.source = delivered.source and source_months.billing_period = delivered.billing_period
    left join nothing_charged_by_source
        on
            source_months.source = nothing_charged_by_source.source
            and source_months.billing_period = nothing_charged_by_source.billing_period
    where delivered.source is null and nothing_charged_by_source.source is null
),

estimates as (
    select
        source_months.source,
        source_months.billing_period,
        3 as place,
        true as keeps_open,
        case
            when delivered.pending_count > 0 then delivered.pending_count || ' invoice(s) are not issued yet'
            when $as_of_day > source_months.expected_settled_on
                then 'still estimates, usually final by ' || source_months.expected_settled_on
            else
                'estimates, usually final between ' || source_months.expected_settled_from
                || ' and ' || source_months.expected_settled_on
        end as text,
    from source_months
    inner join delivered
        on source_months.source = delivered.source and source_months.billing_period = delivered.billing_period
    where not delivered.is_final
),

missing_chunks as (
    select
        source,
        billing_period,
        4 as place,
        true as keeps_open,
        file_name || ': ' || reason as text,
    from open_files
    where kind = 'incomplete'
),

missing_accounts as (
    select
        source_months.source,
        source_months.billing_period,
        5 as place,
        true as keeps_open,
        'account ' || before.billing_account_id || ' has not delivered, as it did for '
        || before.billing_period as text,
    from source_months
    inner join delivered
        on source_months.source = delivered.source and source_months.billing_period = delivered.billing_period
    inner join delivered_accounts as before
        on source_months.source = before.source and source_months.previous_period = before.billing_period
    left join delivered_accounts as now
        on
            before.source = now.source
            and before.billing_account_id = now.billing_account_id
            and source_months.billing_period = now.billing_period
    left join nothing_charged
        on
            before.source = nothing_charged.source
            and before.billing_account_id = nothing_charged.billing_account_id
            and source_months.billing_period = nothing_charged.billing_period
    where source_months.has_accounts and now.source is null and nothing_charged.source is null
),

differences as (
    select
        source,
        billing_period,
        6 as place,
        true as keeps_open,
        'account ' || billing_account_id || ': '
        || coalesce(detail, 'a difference of ' || shown_number(difference) || ' ' || currency) as text,
    from vendor_differences
    where is_blocking
),

left_lying as (
    select
        source,
        billing_period,
        case when kind = 'waiting' then 7 else 8 end as place,
        false as keeps_open,
        count(*) || case when kind = 'waiting' then ' file(s) waiting: ' else ' file(s) in quarantine: ' end
        || min_by(file_name || ', ' || reason, file_name) as text,
    from open_files
    where kind in ('waiting', 'quarantined')
    group by
        source,
        billing_period,
        kind
),

awaited as (
    select * from running
    union all
    select * from no_delivery
    union all
    select * from estimates
    union all
    select * from missing_chunks
    union all
    select * from missing_accounts
    union all
    select * from differences
    union all
    select * from left_lying
)

select * from awaited
order by
    source,
    billing_period,
    place,
    text
