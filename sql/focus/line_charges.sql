-- What: the lines of documents as charges of FOCUS: each charge behind a line, or the line itself where it has none.
-- Grain: one charge of one line.
-- Keys: invoice_id, line_number, charge_id.
-- Inputs: document_lines (lines of the chosen documents), billed (the charges behind them, as they were billed),
--     converted_charges (for lines in another currency than their document's, each amount of a charge with what it is
--     in the document's), source_vendors.
-- Params: none.
-- Units: billed_cost in the document's currency, to 18 decimals, half away from zero: the digits a reader of FOCUS is
--     sure to take. What that loses stands in the document's rounding (own_charges.sql).
-- Fails: never.
with

document_lines as (
    select * from document_lines
),

billed as (
    select * from billed
),

converted_charges as (
    select * from converted_charges
),

source_vendors as (
    select * from source_vendors
),

charges as (
    select
        billed.invoice_id,
        billed.line_number,
        billed.charge_id,
        billed.sub_account_id,
        billed.charge_category,
        billed.period_start,
        billed.period_end,
        billed.quantity,
        billed.unit,
        coalesce(converted_charges.amount, billed.amount_precise) as amount,
        coalesce(source_vendors.vendor, billed.source) as publisher_name,
    from billed
    left join converted_charges
        on
            billed.invoice_id = converted_charges.invoice_id
            and billed.line_number = converted_charges.line_number
            and billed.amount_precise = converted_charges.charged_amount
    left join source_vendors
        on billed.source = source_vendors.source
),

lines_without_charges as (
    select
        invoice_id,
        line_number,
        cast(null as varchar) as charge_id,
        cast(null as varchar) as sub_account_id,
        cast(null as varchar) as charge_category,
        cast(null as date) as period_start,
        cast(null as date) as period_end,
        quantity,
        unit,
        amount_precise as amount,
        cast(null as varchar) as publisher_name,
    from document_lines
    where charge_count = 0
),

both_kinds as (
    select * from charges
    union all
    select * from lines_without_charges
),

line_charges as (
    select
        both_kinds.invoice_id,
        both_kinds.line_number,
        both_kinds.charge_id,
        both_kinds.sub_account_id,
        both_kinds.publisher_name,
        -- By the kind of the line, so that a credit note, which has no charges, says the same as what it takes back.
        case
            when document_lines.line_kind = 'usage' then 'Usage'
            when document_lines.line_kind not in ('credit', 'adjustment') then 'Purchase'
            when both_kinds.charge_category in ('Purchase', 'Credit') then both_kinds.charge_category
            else 'Usage'
        end as charge_category,
        both_kinds.period_start,
        both_kinds.period_end,
        both_kinds.quantity,
        both_kinds.unit,
        cast(both_kinds.amount as decimal(38, 18)) as billed_cost,
        document_lines.line_kind,
        document_lines.description,
        document_lines.product_id,
        document_lines.product_name,
        document_lines.product_type,
        document_lines.tax_category,
        document_lines.service_start,
        document_lines.service_end,
        document_lines.reference,
    from both_kinds
    inner join document_lines
        on
            both_kinds.invoice_id = document_lines.invoice_id
            and both_kinds.line_number = document_lines.line_number
)

select * from line_charges
