-- What: distributor-invoice items with the rule that keeps each of them out of the customer charges, if any.
-- Grain: one item.
-- Keys: line_item_id.
-- Inputs: line_items (priced_line_items; those of usage feeds are not considered).
-- Params: $charges_start_on, $standard_edition_since (days).
-- Units: as line_items.
-- Fails: never drops an item; the first rule that applies names it.
with

line_items as (
    select * from line_items
),

decisions as (
    select
        *,
        case
            when invoice_status = 'pending' then 'invoice_pending'
            when invoice_status = 'proforma' then 'invoice_proforma'
            when invoice_date < $standard_edition_since then 'before_standard_edition'
            when invoice_date < $charges_start_on then 'before_charges_start'
            when customer_id is null then 'unmapped_customer'
            when total_sell is null then 'no_markup_and_no_srp'
        end as exclusion_reason,
    from line_items
    where line_number is not null
)

select * from decisions
