-- What: charges of locked months whose amount is not what documents have billed, with the difference and its cause.
-- Grain: customer and charge, as it is found again in another delivery (charge_identity), and currency.
-- Keys: customer_id, source, billing_account_id, billing_period, identity, currency.
-- Inputs: billed_identities, current_identities, month_owners (period_items of the locked months: also what is on no
--     draft), touched_slots, locked_months (customer_id, billing_period, reference).
-- Params: $period: the month that is drafted. Of its own charges only those count that other documents have billed.
-- Units: amount_precise and total_cost are differences in currency, quantity the difference in unit.
-- Fails: never. A charge without price has no amount here and must block the customer.
with

touched as (
    select * from touched_slots
),

locked_months as (
    select * from locked_months
),

billed as (
    select * from billed_identities
),

current_charges as (
    select * from current_identities
),

-- Who has a charge now, and who was billed for it: of a charge in the hands of two customers the account has moved.
owners_now as (
    select distinct
        month_owners.source,
        month_owners.billing_account_id,
        month_owners.billing_period,
        charge_identity(
            month_owners.line_number, month_owners.sub_account_id, month_owners.product_id,
            month_owners.charge_category, month_owners.charge_nature, month_owners.period_start, month_owners.unit
        ) as identity,
        coalesce(month_owners.customer_id, '') as customer_id,
    from month_owners
    semi join touched
        on
            month_owners.source = touched.source
            and month_owners.billing_account_id = touched.billing_account_id
            and month_owners.billing_period = touched.billing_period
),

compared as (
    select
        coalesce(current_charges.customer_id, billed.customer_id) as customer_id,
        coalesce(current_charges.source, billed.source) as source,
        coalesce(current_charges.billing_account_id, billed.billing_account_id) as billing_account_id,
        coalesce(current_charges.billing_period, billed.billing_period) as billing_period,
        coalesce(current_charges.identity, billed.identity) as identity,
        coalesce(current_charges.currency, billed.currency) as currency,
        coalesce(current_charges.product_type, billed.product_type) as product_type,
        coalesce(current_charges.product_id, billed.product_id) as product_id,
        coalesce(current_charges.product_name, billed.product_name) as product_name,
        coalesce(current_charges.tax_category, billed.tax_category) as tax_category,
        coalesce(current_charges.unit, billed.unit) as unit,
        coalesce(current_charges.charge_id, billed.charge_id) as charge_id,
        coalesce(current_charges.delivery_id, billed.delivery_id) as delivery_id,
        coalesce(current_charges.sub_account_id, billed.sub_account_id) as sub_account_id,
        coalesce(current_charges.charge_category, billed.charge_category) as charge_category,
        coalesce(current_charges.charge_nature, billed.charge_nature) as charge_nature,
        coalesce(current_charges.vendor_invoice_number, billed.vendor_invoice_number) as vendor_invoice_number,
        coalesce(current_charges.vendor_line_number, billed.vendor_line_number) as vendor_line_number,
        coalesce(current_charges.period_start, billed.period_start) as period_start,
        coalesce(current_charges.period_end, billed.period_end) as period_end,
        coalesce(current_charges.price_term, billed.price_term) as price_term,
        coalesce(current_charges.price_term_id, billed.price_term_id) as price_term_id,
        coalesce(current_charges.is_final, true) as is_final,
        coalesce(current_charges.row_count, billed.row_count) as row_count,
        cast(
            coalesce(current_charges.amount_precise, 0) - coalesce(billed.amount_precise, 0) as decimal(38, 24)
        ) as amount_precise,
        cast(
            coalesce(current_charges.total_cost, 0) - coalesce(billed.total_cost, 0) as decimal(38, 24)
        ) as total_cost,
        case
            when current_charges.quantity is not null or billed.quantity is not null
                then cast(coalesce(current_charges.quantity, 0) - coalesce(billed.quantity, 0) as decimal(38, 18))
        end as quantity,
        billed.line_number as adjusts_line_number,
        billed.reference as billed_reference,
        -- What was billed and taken back again stands on documents, and is as good as never billed.
        billed.identity is not null
        and (billed.amount_precise <> 0 or coalesce(billed.quantity, 0) <> 0) as was_billed,
        current_charges.identity is not null as is_there,
    from current_charges
    full join billed
        on
            current_charges.customer_id = billed.customer_id
            and current_charges.source = billed.source
            and current_charges.billing_account_id = billed.billing_account_id
            and current_charges.billing_period = billed.billing_period
            and current_charges.identity = billed.identity
            and current_charges.currency = billed.currency
),

changed as (
    select
        *,
        billing_period = $period as is_of_drafted_month,
    from compared
    -- What only costs the reseller more or less is kept too: support plans may be on cost, and so are margins.
    where amount_precise <> 0 or total_cost <> 0
),

others_billed as (
    select distinct
        customer_id,
        source,
        billing_account_id,
        billing_period,
        identity,
    from billed
    where amount_precise <> 0
),

adjusted as (
    select
        changed.*,
        exists(
            select 1 from others_billed
            where
                others_billed.source = changed.source
                and others_billed.billing_account_id = changed.billing_account_id
                and others_billed.billing_period = changed.billing_period
                and others_billed.identity = changed.identity
                and others_billed.customer_id <> changed.customer_id
        ) as was_anothers,
        exists(
            select 1 from owners_now
            where
                owners_now.source = changed.source
                and owners_now.billing_account_id = changed.billing_account_id
                and owners_now.billing_period = changed.billing_period
                and owners_now.identity = changed.identity
                and owners_now.customer_id <> changed.customer_id
        ) as is_anothers,
    from changed
),

items as (
    select
        adjusted.*,
        case
            when adjusted.is_of_drafted_month then 'billed_elsewhere'
            when not adjusted.was_billed and adjusted.was_anothers then 'mapping'
            when not adjusted.was_billed then 'late_usage'
            when not adjusted.is_there and adjusted.is_anothers then 'mapping'
            when not adjusted.is_there then 'withdrawn'
            when adjusted.quantity <> 0 then 'quantity'
            else 'price'
        end as cause,
        case
            when adjusted.is_of_drafted_month then adjusted.billed_reference
            else locked_months.reference
        end as adjusts_invoice_number,
    from adjusted
    left join locked_months
        on
            adjusted.customer_id = locked_months.customer_id
            and adjusted.billing_period = locked_months.billing_period
    -- A customer without a document of the month is drafted for that month itself.
    where locked_months.customer_id is not null or adjusted.is_of_drafted_month
)

select
    customer_id,
    currency,
    product_type as line_product_type,
    coalesce(product_id, product_name) as line_product_id,
    product_name as line_product_name,
    unit,
    'adjustment' as line_kind,
    tax_category as line_tax_category,
    'Adjustment, ' || case cause
        when 'late_usage' then 'late usage'
        when 'price' then 'changed price'
        when 'quantity' then 'changed quantity'
        when 'mapping' then 'account of another customer'
        when 'withdrawn' then 'withdrawn by the vendor'
        else 'billed on another document'
    end || ': ' || product_name as line_description,
    billing_period as service_period,
    case
        when adjusts_line_number is null or cause = 'billed_elsewhere' then adjusts_invoice_number
        else adjusts_invoice_number || ' line ' || adjusts_line_number
    end as line_reference,
    amount_precise,
    charge_id,
    source,
    delivery_id,
    billing_account_id,
    sub_account_id,
    product_id,
    billing_period,
    charge_category,
    charge_nature,
    vendor_invoice_number as invoice_number,
    vendor_line_number as line_number,
    period_start,
    period_end,
    quantity,
    total_cost,
    price_term,
    price_term_id,
    is_final,
    row_count,
    cause,
    adjusts_invoice_number,
    case when cause <> 'billed_elsewhere' then adjusts_line_number end as adjusts_line_number,
from items
