-- What: what becomes a row of the customer charges or of the excluded ones: items of distributors' invoices one by one,
--     usage of feeds summed over the days of its delivery.
-- Grain: one item; of feeds: delivery, rule that leaves it out (or none), vendor's invoice number, customer, product,
--     unit, Debit or Credit, and currency; where it is left out also the account.
-- Keys: line_item_id, which does not depend on the order of rows.
-- Inputs: charge_decisions (sql/charges/charge_decisions.sql).
-- Params: none.
-- Units: amounts in currency, quantity in unit; row_count counts vendor rows.
-- Fails: never drops a charge. A quantity is null as soon as that of one charge is, a term as soon as two differ.
with

charge_decisions as (
    select * from charge_decisions
),

items as (
    select
        line_item_id,
        delivery_id,
        exclusion_reason,
        exclusion_detail,
        invoice_number,
        customer_id,
        sub_account_id,
        product_id,
        unit,
        charge_type,
        currency,
        source,
        billing_period,
        line_number,
        charge_id,
        invoice_date,
        sub_account_name,
        product_name,
        product_type,
        description,
        installment_number,
        installment_count,
        period_start,
        period_end,
        unit_cost,
        unit_sell,
        quantity,
        total_cost,
        total_sell,
        price_term,
        price_term_id,
        row_count,
    from charge_decisions
    where is_item
),

summed as (
    select
        delivery_id,
        exclusion_reason,
        min(exclusion_detail) as exclusion_detail,
        invoice_number,
        customer_id,
        case when exclusion_reason is not null then sub_account_id end as sub_account_id,
        product_id,
        unit,
        charge_type,
        currency,
        source,
        billing_period,
        cast(null as varchar) as line_number,
        cast(null as varchar) as charge_id,
        min(invoice_date) as invoice_date,
        min(sub_account_name) as sub_account_name,
        min(product_name) as product_name,
        min(product_type) as product_type,
        case when min(description) = max(description) then min(description) else min(product_name) end as description,
        cast(null as integer) as installment_number,
        cast(null as integer) as installment_count,
        min(period_start) as period_start,
        max(period_end) as period_end,
        cast(null as decimal(38, 18)) as unit_cost,
        cast(null as decimal(38, 18)) as unit_sell,
        case when count(quantity) = count(*) then cast(sum(quantity) as decimal(38, 18)) end as quantity,
        cast(sum(total_cost) as decimal(38, 24)) as total_cost,
        cast(sum(total_sell) as decimal(38, 24)) as total_sell,
        case when min(price_term) = max(price_term) then min(price_term) end as price_term,
        case when min(price_term_id) = max(price_term_id) then min(price_term_id) end as price_term_id,
        cast(sum(row_count) as bigint) as row_count,
    from charge_decisions
    where not is_item
    group by
        delivery_id,
        exclusion_reason,
        invoice_number,
        customer_id,
        case when exclusion_reason is not null then sub_account_id end,
        product_id,
        unit,
        charge_type,
        currency,
        source,
        billing_period
),

usage_charges as (
    select
        'line-' || charge_group_id(
            delivery_id,
            exclusion_reason,
            invoice_number,
            customer_id,
            sub_account_id,
            product_id,
            unit,
            charge_type,
            currency
        ) as line_item_id,
        *,
    from summed
),

decided as (
    select * from items
    union all by name
    select * from usage_charges
)

select * from decided
