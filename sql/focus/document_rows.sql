-- What: everything a document says in money: its charges, taxes, credits applied, and the rounding to its payable
--     total.
-- Grain: one charge of a line, one tax, one credit or one rounding of a document.
-- Keys: invoice_id, part (0 lines, 1 taxes and credits, 2 rounding), position, charge_id.
-- Inputs: documents, document_extras (taxes and credits applied), line_charges (sql/focus/line_charges.sql).
-- Params: none.
-- Units: billed_cost in the document's currency; the rows of a document add up to its payable total exactly.
-- Fails: never. Nullability after FOCUS 1.2: quantity, unit and sku are there on usage and purchases, never on a tax.
with

documents as (
    select * from documents
),

document_extras as (
    select * from document_extras
),

line_charges as (
    select * from line_charges
),

stated as (
    select
        invoice_id,
        0 as part,
        line_number as position,
        charge_id,
        line_kind,
        charge_category,
        case
            when charge_category = 'Usage' then 'Usage-Based'
            when charge_category = 'Purchase' and line_kind in ('subscription', 'support') then 'Recurring'
            else 'One-Time'
        end as charge_frequency,
        billed_cost,
        description,
        product_name as service_name,
        product_type,
        case when charge_category in ('Usage', 'Purchase') then product_id end as sku_id,
        case when charge_category in ('Usage', 'Purchase') then coalesce(quantity, 1) end as quantity,
        case
            when charge_category in ('Usage', 'Purchase')
                then coalesce(case when quantity is not null then coalesce(unit, 'Unit') end, 'Charge')
        end as unit,
        sub_account_id,
        publisher_name,
        coalesce(period_start, service_start) as first_day,
        coalesce(period_end, case when period_start is null then service_end else period_start + 1 end) as end_day,
        reference,
        tax_category,
    from line_charges
    union all
    select
        invoice_id,
        1 as part,
        position,
        null as charge_id,
        line_kind,
        charge_category,
        'One-Time' as charge_frequency,
        -- The union of two scales would take the smaller one, and round the charges.
        cast(amount as decimal(38, 18)) as billed_cost,
        description,
        service_name,
        null as product_type,
        null as sku_id,
        null as quantity,
        null as unit,
        null as sub_account_id,
        publisher_name,
        null as first_day,
        null as end_day,
        null as reference,
        tax_category,
    from document_extras
),

exact_totals as (
    select
        invoice_id,
        sum(billed_cost) as exact_total,
    from stated
    group by invoice_id
),

roundings as (
    select
        documents.invoice_id,
        2 as part,
        0 as position,
        null as charge_id,
        'rounding' as line_kind,
        'Adjustment' as charge_category,
        'One-Time' as charge_frequency,
        cast(documents.total - coalesce(exact_totals.exact_total, 0) as decimal(38, 18)) as billed_cost,
        'Rounding to the payable total of the document' as description,
        'Rounding' as service_name,
        null as product_type,
        null as sku_id,
        null as quantity,
        null as unit,
        null as sub_account_id,
        null as publisher_name,
        null as first_day,
        null as end_day,
        null as reference,
        null as tax_category,
    from documents
    left join exact_totals
        on documents.invoice_id = exact_totals.invoice_id
    where documents.total <> coalesce(exact_totals.exact_total, 0)
),

document_rows as (
    select * from stated
    union all
    select * from roundings
)

select * from document_rows
