-- What: what the reseller must charge its end customers: items of issued distributor invoices, and what the vendors of
--     feeds have invoiced.
-- Grain: one item that the inclusion rules let in; of a feed that is final: delivery, vendor's invoice number,
--     customer, product, unit, Debit or Credit, and currency.
-- Keys: line_item_id.
-- Inputs: decided_charges (sql/charges/decided_charges.sql), reference_customers.
-- Params: none.
-- Units: prices per unit and totals in currency; credits of distributors are negative, their quantities positive. Unit
--     prices of feeds are total / quantity to 10 places, for display.
-- Fails: never; what is left out stands in excluded_charges.
with

decided_charges as (
    select * from decided_charges
),

reference_customers as (
    select * from reference_customers
),

customer_charges as (
    select
        decided_charges.line_item_id,
        decided_charges.invoice_number,
        decided_charges.invoice_date,
        decided_charges.charge_type as type,
        coalesce(reference_customers.name, decided_charges.sub_account_name, decided_charges.customer_id) as customer,
        case
            when decided_charges.installment_number is null then decided_charges.description
            else decided_charges.product_name || ' ' || decided_charges.installment_number
                || coalesce('/' || decided_charges.installment_count, '')
        end as description,
        decided_charges.period_start as start_date,
        decided_charges.period_end as end_date,
        -- Usage has no unit prices of its own, nor has a price with tiers: total / quantity to 10 places.
        coalesce(
            decided_charges.unit_cost,
            exact_ratio(decided_charges.total_cost, decided_charges.quantity)
        ) as unit_cost_price,
        coalesce(
            decided_charges.unit_sell,
            exact_ratio(decided_charges.total_sell, decided_charges.quantity)
        ) as unit_sell_price,
        decided_charges.quantity,
        decided_charges.unit,
        decided_charges.total_cost as total_cost_price,
        decided_charges.total_sell as total_sell_price,
        decided_charges.product_type,
        decided_charges.product_name,
        decided_charges.currency,
        decided_charges.customer_id,
        decided_charges.source,
        decided_charges.charge_id,
        decided_charges.price_term,
        decided_charges.price_term_id,
        decided_charges.billing_period,
        decided_charges.delivery_id,
        decided_charges.line_number,
        decided_charges.product_id,
        decided_charges.row_count,
    from decided_charges
    left join reference_customers
        on decided_charges.customer_id = reference_customers.customer_id
    where decided_charges.exclusion_reason is null
)

select * from customer_charges
