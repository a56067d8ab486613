-- Add up a converted file per billing account, billing period and currency.
--
-- Grain: one row per (billing_account_id, billing_period, billing_currency), in that order.
-- Keys: billing_account_id, billing_period, billing_currency.
-- Inputs: converted_rows, canonical rows of one file.
-- Params: none.
-- Units: total_cost, net_total and tax_total in billing_currency, exact.
-- Fails: never; whether an invoice's header values agree is checked before.
with

grouped as (

    select
        billing_account_id,
        billing_period,
        billing_currency,
        count(*) as row_count,
        cast(sum(billed_cost) as decimal(38, 18)) as total_cost,
        count(*) filter (where invoice_id is null) as rows_without_invoice_id,
        min(x_invoice_status) as invoice_status,
        min(x_invoice_type) as invoice_type,
        min(x_net_total) as net_total,
        -- A distributor's rows repeat the invoice's tax; the rows of others have their own.
        case
            when min(x_invoice_type) is null then cast(sum(x_tax_total) as decimal(38, 18))
            else min(x_tax_total)
        end as tax_total,
        coalesce(list_sort(list(distinct invoice_id) filter (where invoice_id is not null)), []) as invoice_ids,
    from converted_rows
    group by billing_account_id, billing_period, billing_currency

)

select * from grouped
order by billing_account_id, billing_period, billing_currency
