-- What: what the inclusion rules keep out of the customer charges, each with the rule's name.
-- Grain: one item of a distributor's invoice; of a feed: delivery, rule, vendor's invoice number, customer, account,
--     product, unit, Debit or Credit, and currency.
-- Keys: line_item_id.
-- Inputs: decided_charges (sql/charges/decided_charges.sql).
-- Params: none.
-- Units: total_cost in currency; row_count counts vendor rows.
-- Fails: never.
with

decided_charges as (
    select * from decided_charges
),

excluded_charges as (
    select
        line_item_id,
        line_number,
        invoice_number,
        exclusion_reason as reason,
        exclusion_detail as detail,
        source,
        delivery_id,
        customer_id,
        sub_account_id,
        sub_account_name,
        product_id,
        product_name,
        invoice_date,
        charge_type as type,
        total_cost,
        currency,
        billing_period,
        row_count,
    from decided_charges
    where exclusion_reason is not null
)

select * from excluded_charges
