-- What: every charge of a day's deliveries with its price, its bucket and the reason why it is not billed.
-- Grain: one charge.
-- Keys: line_item_id, charge_id.
-- Inputs: priced_charges (priced_debits and priced_credits together), feeds_invoiced_through (source, distributor: the
--     feeds that merely itemise what that distributor's invoices bill).
-- Params: none.
-- Units: amounts in currency; price_percent as a number (12.5 is 12.5 %).
-- Fails: never drops a charge; each is in exactly one bucket.
with

priced_charges as (
    select * from priced_charges
),

feeds_invoiced_through as (
    select * from feeds_invoiced_through
),

charges as (
    select
        priced_charges.*,
        feeds_invoiced_through.distributor as invoiced_through,
    from priced_charges
    left join feeds_invoiced_through
        on priced_charges.source = feeds_invoiced_through.source
),

line_items as (
    select
        'line-' || charge_id as line_item_id,
        charge_id,
        source,
        delivery_id,
        billing_account_id,
        sub_account_id,
        sub_account_name,
        customer_id,
        product_id,
        product_name,
        product_type,
        description,
        billing_period,
        invoice_number,
        invoice_date,
        charge_type,
        charge_category,
        charge_nature,
        order_channel,
        origin,
        invoice_status,
        pay_per_use as is_pay_per_use,
        installment_number,
        installment_count,
        line_number,
        period_start,
        period_end,
        quantity,
        unit,
        unit_cost,
        unit_sell,
        srp,
        total_cost,
        total_sell,
        total_list,
        currency,
        total_sell - total_cost as margin,
        case when charge_nature = 'marketplace_fee' then 'pass_through' else price_term end as price_term,
        price_term_id,
        price_scope,
        price_scope_id,
        method as price_method,
        percent as price_percent,
        price_unit_price,
        tier_quantity,
        adjustment_ids,
        adjustment_percent,
        case when adjustment_percent is not null then total_before_adjustment end as total_before_adjustment,
        price_list_id,
        expected_unit_cost,
        credited_line_item_id,
        tax_category,
        case
            -- Also taxes and fees: whatever such a feed says, the distributor's invoices bill it.
            when invoiced_through is not null then 'excluded_by_rule'
            when charge_nature <> 'usage' then charge_nature
            when invoice_status in ('pending', 'proforma') then 'excluded_by_rule'
            when customer_id is null then 'unmapped_account'
            when total_sell is null then 'unpriced'
            when not is_final then 'not_yet_final'
            else 'billed'
        end as bucket,
        case
            when invoiced_through is not null then 'invoiced through ' || invoiced_through
            when charge_nature <> 'usage' then null
            when invoice_status in ('pending', 'proforma') then 'the distributor''s invoice is ' || invoice_status
            when customer_id is null
                then
                    'account ' || coalesce(sub_account_id, '(none)') || ' of source ' || source
                    || ' belongs to no customer'
            when total_sell is null then unpriced_reason
            when not is_final then 'the vendor''s delivery is not final'
        end as reason,
        note,
        row_count,
        is_final,
        received_at,
    from charges
)

select * from line_items
