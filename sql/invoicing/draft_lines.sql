-- What: the charges of one billing period gathered into the lines of invoice drafts, every line of every customer at
--     once.
-- Grain: customer_id, currency, product_type, product_id, product_name, unit, line_kind and tax_category (a product has
--     one tax category; were there two, they must not be taxed as one).
-- Keys: the same.
-- Inputs: drafted_items (sql/invoicing/drafted_items.sql).
-- Params: none.
-- Units: amount_precise and cost_precise (our cost) decimal(38, 24) in currency; quantity decimal(38, 18) in unit;
--     charges_sha256 is the hash of the line's charge ids in order, one a text line, so that other charges make another
--     draft.
-- Fails: on an amount beyond decimal(38, 24). A line with an unpriced item has amount_precise null: such a customer
--     must be refused by the reader, never billed the rest of the line.
with

drafted_items as (
    select * from drafted_items
),

lines as (
    select
        customer_id,
        currency,
        line_product_type as product_type,
        line_product_id as product_id,
        line_product_name as product_name,
        unit,
        line_kind,
        line_tax_category as tax_category,
        case
            when min(line_description) = max(line_description) then min(line_description)
            else line_product_name
        end as description,
        cast(sum(quantity) as decimal(38, 18)) as quantity,
        case
            when count(amount_precise) = count(*) then cast(sum(amount_precise) as decimal(38, 24))
        end as amount_precise,
        cast(sum(total_cost) as decimal(38, 24)) as cost_precise,
        count(*) as charge_count,
        sha256(string_agg(charge_id, chr(10) order by charge_id)) as charges_sha256,
    from drafted_items
    group by
        customer_id,
        currency,
        line_product_type,
        line_product_id,
        line_product_name,
        unit,
        line_kind,
        line_tax_category
)

select * from lines
