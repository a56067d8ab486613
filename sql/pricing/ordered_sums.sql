-- What: the sums of usage feeds without their texts, in the order in which priced charges are kept. They are put in
--     order here, while they are narrow: what is made of them follows their order, and need not sort sixty columns.
-- Grain: one charge, as the input.
-- Keys: charge_id.
-- Inputs: usage_sums, usage_kinds, term_stretches, attributed_situations.
-- Params: none.
-- Units: as the input.
-- Fails: never drops or repeats a charge.
with

usage_sums as (
    select * from usage_sums
),

usage_kinds as (
    select * from usage_kinds
),

term_stretches as (
    select * from term_stretches
),

attributed_situations as (
    select * from attributed_situations
    where not is_item
),

-- Whole numbers in the order of the texts they stand for are quicker to sort.
places as (
    select
        delivery_id,
        sub_account_id,
        vendor_product_id,
        vendor_product_type,
        term_day,
        dense_rank() over (
            order by
                customer_id asc nulls last,
                product_id asc nulls last
        ) as place,
    from attributed_situations
),

ordered as (
    select
        usage_sums.charge_id,
        usage_kinds.kind_id,
        usage_sums.charge_day,
        usage_sums.quantity,
        usage_sums.cost,
        usage_sums.list_cost,
        usage_sums.row_count,
    from usage_sums
    inner join usage_kinds
        on
            usage_sums.delivery_id = usage_kinds.delivery_id
            and usage_sums.sub_account_id is not distinct from usage_kinds.sub_account_id
            and usage_sums.sku_id is not distinct from usage_kinds.sku_id
            and usage_sums.service_name is not distinct from usage_kinds.service_name
            and usage_sums.service_category is not distinct from usage_kinds.service_category
            and usage_sums.charge_category is not distinct from usage_kinds.charge_category
            and usage_sums.charge_class is not distinct from usage_kinds.charge_class
            and usage_sums.charge_nature is not distinct from usage_kinds.charge_nature
            and usage_sums.unit is not distinct from usage_kinds.unit
            and usage_sums.currency is not distinct from usage_kinds.currency
            and usage_sums.sub_account_name is not distinct from usage_kinds.sub_account_name
            and usage_sums.description is not distinct from usage_kinds.description
            and usage_sums.invoice_number is not distinct from usage_kinds.invoice_number
    left join term_stretches
        on usage_sums.charge_day = term_stretches.term_day
    left join places
        on
            usage_kinds.delivery_id = places.delivery_id
            and usage_kinds.sub_account_id is not distinct from places.sub_account_id
            and coalesce(usage_kinds.sku_id, usage_kinds.service_name) is not distinct from places.vendor_product_id
            and usage_kinds.service_category is not distinct from places.vendor_product_type
            and term_stretches.stretch_day = places.term_day
    order by
        places.place asc nulls last,
        usage_sums.charge_day asc nulls last,
        usage_sums.charge_id asc
)

select * from ordered
