-- What: distributor-invoice items that the inclusion rules keep out, each with the rule's name.
-- Grain: one item left out.
-- Keys: line_item_id.
-- Inputs: item_decisions (sql/charges/item_decisions.sql).
-- Params: none.
-- Units: total_cost in currency.
-- Fails: never.
with

item_decisions as (
    select * from item_decisions
),

excluded_charges as (
    select
        line_item_id,
        line_number,
        invoice_number,
        exclusion_reason as reason,
        coalesce(reason, '') as detail,
        source,
        delivery_id,
        customer_id,
        sub_account_id,
        sub_account_name,
        product_id,
        invoice_date,
        total_cost,
        currency,
        billing_period,
    from item_decisions
    where exclusion_reason is not null
)

select * from excluded_charges
