-- What: per billing account what its deliveries, the vendor's totals and the buckets come to, side by side.
-- Grain: source, billing account, billing period and currency of a delivery or of a total.
-- Keys: source, billing_account_id, billing_period, currency.
-- Inputs: deliveries (current), buckets (usage_reconciliation of them), stated_totals, source_formats
--     (source, format).
-- Params: none.
-- Units: amounts in currency; file_net and file_tax are null as soon as one delivery states none.
-- Fails: never. tax_rows is what stands in the bucket of tax: whoever finds a difference with it adds the rows up.
with

deliveries as (
    select
        source,
        billing_account_id,
        billing_period,
        currency,
        bool_and(is_final) as is_final,
        sum(row_count) as row_count,
        sum(total_cost) as rows_total,
        case when count(vendor_net_total) = count(*) then sum(vendor_net_total) end as file_net,
        case when count(vendor_tax_total) = count(*) then sum(vendor_tax_total) end as file_tax,
        list_sort(list(delivery_id)) as delivery_ids,
        list_sort(list(delivery_id || ' ' || sha256)) as contents,
    from deliveries
    group by
        source,
        billing_account_id,
        billing_period,
        currency
),

buckets as (
    select
        source,
        billing_account_id,
        billing_period,
        currency,
        sum(amount) as attributed_total,
        sum(row_count) as attributed_rows,
        coalesce(sum(amount) filter (where bucket = 'tax'), 0) as tax_bucket,
    from buckets
    group by
        source,
        billing_account_id,
        billing_period,
        currency
),

source_formats as (
    select * from source_formats
),

totals as (
    select distinct
        source,
        billing_account_id,
        billing_period,
        currency,
    from stated_totals
),

keys as (
    select
        source,
        billing_account_id,
        billing_period,
        currency,
    from deliveries
    union
    select
        source,
        billing_account_id,
        billing_period,
        currency,
    from totals
    union
    -- An amount that came about in a currency no delivery has is a difference too.
    select
        source,
        billing_account_id,
        billing_period,
        currency,
    from buckets
),

compared as (
    select
        keys.source,
        keys.billing_account_id,
        keys.billing_period,
        keys.currency,
        source_formats.format,
        coalesce(deliveries.is_final, true) as is_final,
        deliveries.delivery_ids is not null as has_rows,
        cast(coalesce(deliveries.row_count, 0) as bigint) as row_count,
        cast(coalesce(deliveries.rows_total, 0) as decimal(38, 18)) as rows_total,
        cast(coalesce(buckets.tax_bucket, 0) as decimal(38, 18)) as tax_rows,
        cast(
            case
                when source_formats.format = 'distributor_invoice' then 0
                else coalesce(deliveries.file_tax, 0)
            end as decimal(38, 18)
        ) as tax_beside,
        cast(deliveries.file_net as decimal(38, 18)) as file_net,
        cast(deliveries.file_tax as decimal(38, 18)) as file_tax,
        cast(coalesce(buckets.attributed_total, 0) as decimal(38, 24)) as attributed_total,
        cast(coalesce(buckets.attributed_rows, 0) as bigint) as attributed_rows,
        coalesce(deliveries.delivery_ids, []) as delivery_ids,
        coalesce(deliveries.contents, []) as contents,
    from keys
    left join deliveries
        on
            keys.source = deliveries.source
            and keys.billing_account_id = deliveries.billing_account_id
            and keys.billing_period = deliveries.billing_period
            and keys.currency = deliveries.currency
    left join buckets
        on
            keys.source = buckets.source
            and keys.billing_account_id = buckets.billing_account_id
            and keys.billing_period = buckets.billing_period
            and keys.currency = buckets.currency
    left join source_formats
        on keys.source = source_formats.source
)

select * from compared
order by
    source,
    billing_account_id,
    billing_period,
    currency
