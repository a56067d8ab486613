-- What: where each source stands in each billing period, and what it waits for.
-- Grain: source, billing period and currency; one row without currency where nothing has arrived.
-- Keys: source, billing_period, currency (nullable).
-- Inputs: source_months (every source and period, with the usual days of settlement), known_deliveries (with
--     is_current), awaited (sql/marts/awaited.sql), open_files (see resources/open_files.py), vendor_differences,
--     invoiced_sources (distinct source, billing_period of charges that stand on a document).
-- Params: $as_of_day: the day on which the question is asked.
-- Units: amounts in currency; vendor_total and difference are null as soon as one account has no vendor's total.
--     vendor_total - rows_total = difference: all three with tax where an account's tax is compared, else without.
-- Fails: never.
with

source_months as (
    select * from source_months
),

invoiced_sources as (
    select * from invoiced_sources
),

current_deliveries as (
    select * from known_deliveries
    where is_current
),

file_sets as (
    select distinct
        source,
        billing_period,
        sha256,
        file_count,
    from current_deliveries
),

taken_files as (
    select
        source,
        billing_period,
        sum(file_count) as file_count,
    from file_sets
    group by
        source,
        billing_period
),

untaken_files as (
    select
        source,
        billing_period,
        sum(files_expected) as expected,
        sum(files_received) as received,
    from open_files
    group by
        source,
        billing_period
),

deliveries as (
    select
        source,
        billing_period,
        bool_and(is_final or coalesce(invoice_status, '') = 'proforma') as is_final,
        max(received_at) as last_received_at,
    from current_deliveries
    group by
        source,
        billing_period
),

deliveries_by_currency as (
    select
        source,
        billing_period,
        currency,
        count(distinct delivery_id) as delivery_count,
    from current_deliveries
    group by
        source,
        billing_period,
        currency
),

totals as (
    select
        source,
        billing_period,
        currency,
        case when count(vendor_total) = count(*) then sum(vendor_total) end as vendor_total,
        -- Without a total to be compared with, rows_total is of all rows.
        case when count(vendor_total) = count(*) then sum(rows_total) else sum(cost_total) end as rows_total,
        case when count(vendor_total) = count(*) then sum(difference) end as difference,
    from vendor_differences
    group by
        source,
        billing_period,
        currency
),

waiting as (
    select
        source,
        billing_period,
        bool_or(keeps_open) as is_open,
        string_agg(text, '; ' order by place, text) as waits_for,
    from awaited
    group by
        source,
        billing_period
),

periods as (
    select
        source_months.*,
        case
            when invoiced_sources.source is not null then 'locked'
            when $as_of_day < cast(source_months.billing_period || '-01' as date) + interval 1 month then 'open'
            when coalesce(waiting.is_open, false) then 'collecting'
            else 'settled'
        end as state,
        coalesce(deliveries.is_final, false) as is_final,
        deliveries.last_received_at,
        coalesce(taken_files.file_count, 0) + coalesce(untaken_files.expected, 0) as files_expected,
        coalesce(taken_files.file_count, 0) + coalesce(untaken_files.received, 0) as files_received,
        waiting.waits_for,
    from source_months
    left join deliveries
        on source_months.source = deliveries.source and source_months.billing_period = deliveries.billing_period
    left join taken_files
        on source_months.source = taken_files.source and source_months.billing_period = taken_files.billing_period
    left join untaken_files
        on source_months.source = untaken_files.source and source_months.billing_period = untaken_files.billing_period
    left join waiting
        on source_months.source = waiting.source and source_months.billing_period = waiting.billing_period
    left join invoiced_sources
        on
            source_months.source = invoiced_sources.source
            and source_months.billing_period = invoiced_sources.billing_period
),

states as (
    select
        periods.source,
        periods.billing_period,
        periods.state,
        periods.is_final,
        totals.currency,
        cast(totals.vendor_total as decimal(38, 18)) as vendor_total,
        cast(coalesce(totals.rows_total, 0) as decimal(38, 18)) as rows_total,
        cast(totals.difference as decimal(38, 18)) as difference,
        cast(periods.files_expected as bigint) as files_expected,
        cast(periods.files_received as bigint) as files_received,
        periods.last_received_at,
        periods.expected_settled_from,
        periods.expected_settled_on,
        periods.state = 'collecting' and $as_of_day > periods.expected_settled_on as is_late,
        periods.waits_for,
        coalesce(deliveries_by_currency.delivery_count, 0) as delivery_count,
    from periods
    left join totals
        on periods.source = totals.source and periods.billing_period = totals.billing_period
    left join deliveries_by_currency
        on
            totals.source = deliveries_by_currency.source
            and totals.billing_period = deliveries_by_currency.billing_period
            and totals.currency = deliveries_by_currency.currency
)

select * from states
order by
    source,
    billing_period,
    currency
