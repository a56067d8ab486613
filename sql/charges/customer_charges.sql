-- What: what the reseller must charge its end customers, one row per item of an issued distributor invoice.
-- Grain: one distributor-invoice item that the inclusion rules let in.
-- Keys: line_item_id.
-- Inputs: item_decisions (sql/charges/item_decisions.sql), reference_customers.
-- Params: none.
-- Units: prices per unit and totals in currency; credits are negative, quantities positive.
-- Fails: never; what is left out stands in excluded_charges.
with

item_decisions as (
    select * from item_decisions
),

reference_customers as (
    select * from reference_customers
),

customer_charges as (
    select
        item_decisions.line_item_id,
        item_decisions.invoice_number,
        item_decisions.invoice_date,
        item_decisions.charge_type as type,
        coalesce(reference_customers.name, item_decisions.sub_account_name, item_decisions.customer_id) as customer,
        case
            when item_decisions.installment_number is null then item_decisions.description
            else item_decisions.product_name || ' ' || item_decisions.installment_number
                || coalesce('/' || item_decisions.installment_count, '')
        end as description,
        item_decisions.period_start as start_date,
        item_decisions.period_end as end_date,
        item_decisions.unit_cost as unit_cost_price,
        -- A price with tiers has no unit price of its own: total / quantity to 10 places.
        coalesce(
            item_decisions.unit_sell,
            exact_ratio(item_decisions.total_sell, item_decisions.quantity)
        ) as unit_sell_price,
        item_decisions.quantity,
        item_decisions.unit,
        item_decisions.total_cost as total_cost_price,
        item_decisions.total_sell as total_sell_price,
        item_decisions.product_type,
        item_decisions.product_name,
        item_decisions.currency,
        item_decisions.customer_id,
        item_decisions.source,
        item_decisions.charge_id,
        item_decisions.price_term,
        item_decisions.price_term_id,
        item_decisions.billing_period,
        item_decisions.delivery_id,
    from item_decisions
    left join reference_customers
        on item_decisions.customer_id = reference_customers.customer_id
    where item_decisions.exclusion_reason is null
)

select * from customer_charges
