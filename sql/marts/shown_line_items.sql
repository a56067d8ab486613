-- What: priced charges as people see them: unit prices of usage and percentages beside the exact totals.
-- Grain: one charge, as the input.
-- Keys: line_item_id.
-- Inputs: current_line_items (priced_line_items of current deliveries).
-- Params: none.
-- Units: unit prices in currency per unit; those of usage are total / quantity to 10 places, half away from zero.
-- Fails: never; a quotient that has no sense or does not fit is null.
with

current_line_items as (
    select * from current_line_items
),

shown as (
    select
        line_item_id,
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
        is_pay_per_use,
        installment_number,
        installment_count,
        line_number,
        period_start,
        period_end,
        quantity,
        unit,
        coalesce(unit_cost, exact_ratio(total_cost, quantity)) as unit_cost,
        coalesce(unit_sell, exact_ratio(total_sell, quantity)) as unit_sell,
        coalesce(srp, exact_ratio(total_list, quantity)) as srp,
        total_cost,
        total_sell,
        total_list,
        currency,
        margin,
        price_term,
        price_term_id,
        price_scope,
        price_scope_id,
        price_method,
        price_percent,
        price_unit_price,
        tier_quantity,
        adjustment_ids,
        adjustment_percent,
        total_before_adjustment,
        price_list_id,
        expected_unit_cost,
        credited_line_item_id,
        tax_category,
        bucket,
        reason,
        note,
        row_count,
        is_final,
        received_at,
        cast(exact_ratio(total_list - total_cost, total_list) * 100 as decimal(38, 8)) as cost_discount_percent,
        cast(exact_ratio(total_list - total_sell, total_list) * 100 as decimal(38, 8)) as sell_discount_percent,
        cast(exact_ratio(margin, total_sell) * 100 as decimal(38, 8)) as margin_percent,
        cast(exact_ratio(margin, total_cost) * 100 as decimal(38, 8)) as derived_markup_percent,
    from current_line_items
)

select * from shown
