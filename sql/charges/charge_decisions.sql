-- What: the priced charges of a day of arrival, each with the rule that keeps it out of the customer charges, if any.
--     A distributor's invoice is issued when it says so, a vendor's when its delivery is final; by what means it came
--     about (origin) and through which channel it was ordered makes no difference.
-- Grain: one priced charge: an item of a distributor's invoice, or a day's usage of a feed (line_number is null).
-- Keys: charge_id.
-- Inputs: line_items (priced_line_items), charge_rules (one row: charges_start_on, standard_edition_since, arrived_on:
--     the local day of arrival), vendor_totals (totals in force, for the dates of vendors' invoices).
-- Params: none.
-- Units: as line_items.
-- Fails: never drops a charge; the first rule that applies names it. What an invoice without a date was generated on is
--     the day on which it arrived.
with

line_items as (
    select * from line_items
),

charge_rules as (
    select * from charge_rules
),

invoice_dates as (
    select
        source,
        billing_account_id,
        billing_period,
        invoice_id,
        currency,
        invoice_date,
    from vendor_totals
    where invoice_id is not null
),

dated as (
    select
        line_items.* exclude (invoice_date),
        line_items.line_number is not null as is_item,
        charge_rules.charges_start_on,
        charge_rules.standard_edition_since,
        coalesce(line_items.invoice_date, invoice_dates.invoice_date) as invoice_date,
        coalesce(line_items.invoice_date, invoice_dates.invoice_date, charge_rules.arrived_on) as generated_on,
    from line_items
    cross join charge_rules
    left join invoice_dates
        on
            line_items.source = invoice_dates.source
            and line_items.billing_account_id = invoice_dates.billing_account_id
            and line_items.billing_period = invoice_dates.billing_period
            and line_items.invoice_number = invoice_dates.invoice_id
            and line_items.currency = invoice_dates.currency
),

ruled as (
    select
        *,
        case
            when invoice_status = 'pending' then 'invoice_pending'
            when invoice_status = 'proforma' then 'invoice_proforma'
            -- Nothing else excludes a charge of a feed by rule.
            when bucket = 'excluded_by_rule' and not is_item then 'invoiced_through_distributor'
            when charge_nature <> 'usage' then charge_nature
            when not is_final and not is_item then 'vendor_invoice_not_issued'
            when generated_on < standard_edition_since then 'before_standard_edition'
            when generated_on < charges_start_on then 'before_charges_start'
            when customer_id is null then 'unmapped_customer'
            when total_sell is null then 'no_markup_and_no_srp'
        end as exclusion_reason,
    from dated
),

decisions as (
    select
        * exclude (reason, charges_start_on, standard_edition_since),
        case exclusion_reason
            when 'vendor_invoice_not_issued' then 'the vendor''s delivery is not final'
            when 'before_standard_edition'
                then 'generated on ' || generated_on || ', before the upgrade on ' || standard_edition_since
            when 'before_charges_start'
                then 'generated on ' || generated_on || ', before the start on ' || charges_start_on
            else coalesce(reason, '')
        end as exclusion_detail,
    from ruled
)

select * from decisions
