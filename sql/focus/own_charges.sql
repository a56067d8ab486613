-- What: documents as rows of FOCUS 1.2, its columns in snake_case.
-- Grain: one charge of a line, one tax, one credit or one rounding of a document.
-- Keys: document_id, part, position, x_charge_id.
-- Inputs: documents, document_rows (sql/focus/document_rows.sql), service_categories (those of the standard).
-- Params: none.
-- Units: amounts in billing_currency; instants in UTC, ends exclusive, and after their start also where a charge has no
--     length.
-- Fails: never.
with

documents as (
    select * from documents
),

document_rows as (
    select * from document_rows
),

service_categories as (
    select * from service_categories
),

own_charges as (
    select
        document_rows.billed_cost,
        documents.customer_id as billing_account_id,
        documents.customer_name as billing_account_name,
        documents.currency as billing_currency,
        timezone('UTC', cast(documents.end_day as timestamp)) as billing_period_end,
        timezone('UTC', cast(documents.first_day as timestamp)) as billing_period_start,
        document_rows.charge_category,
        case
            when documents.is_credit_note or document_rows.line_kind = 'adjustment' then 'Correction'
        end as charge_class,
        document_rows.description as charge_description,
        document_rows.charge_frequency,
        timezone(
            'UTC',
            cast(
                greatest(
                    coalesce(document_rows.end_day, documents.end_day),
                    coalesce(document_rows.first_day, documents.first_day) + 1
                ) as timestamp
            )
        ) as charge_period_end,
        timezone(
            'UTC', cast(coalesce(document_rows.first_day, documents.first_day) as timestamp)
        ) as charge_period_start,
        document_rows.billed_cost as contracted_cost,
        document_rows.billed_cost as effective_cost,
        documents.invoice_number as invoice_id,
        documents.issuer_name as invoice_issuer_name,
        document_rows.billed_cost as list_cost,
        cast(
            case
                when document_rows.billed_cost < 0 then -abs(document_rows.quantity)
                else document_rows.quantity
            end as decimal(38, 18)
        ) as pricing_quantity,
        document_rows.unit as pricing_unit,
        documents.issuer_name as provider_name,
        coalesce(document_rows.publisher_name, documents.issuer_name) as publisher_name,
        coalesce(service_categories.service_category, 'Other') as service_category,
        document_rows.service_name,
        document_rows.sku_id,
        document_rows.sku_id as sku_price_id,
        document_rows.sub_account_id,
        document_rows.charge_id as x_charge_id,
        case when document_rows.part = 0 then document_rows.position end as x_invoice_line_number,
        document_rows.line_kind as x_line_kind,
        document_rows.product_type as x_product_type,
        document_rows.reference as x_reference,
        document_rows.tax_category as x_tax_category,
        documents.invoice_id as document_id,
        document_rows.part,
        document_rows.position,
    from document_rows
    inner join documents
        on document_rows.invoice_id = documents.invoice_id
    left join service_categories
        on document_rows.product_type = service_categories.service_category
)

select * from own_charges
