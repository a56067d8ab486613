-- What: the sums of usage feeds in the order in which priced charges are kept. They are put in order here, while they
--     are narrow: what is made of them follows their order, and need not sort three times as many columns.
-- Grain: one charge, as the input.
-- Keys: charge_id.
-- Inputs: usage_sums, term_stretches, attributed_situations.
-- Params: none.
-- Units: as the input.
-- Fails: never drops or repeats a charge.
with

usage_sums as (
    select * from usage_sums
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
    select usage_sums.*
    from usage_sums
    left join term_stretches
        on usage_sums.charge_day = term_stretches.term_day
    left join places
        on
            usage_sums.delivery_id = places.delivery_id
            and usage_sums.sub_account_id is not distinct from places.sub_account_id
            and coalesce(usage_sums.sku_id, usage_sums.service_name) is not distinct from places.vendor_product_id
            and usage_sums.service_category is not distinct from places.vendor_product_type
            and term_stretches.stretch_day = places.term_day
    order by
        places.place asc nulls last,
        usage_sums.charge_day asc nulls last,
        usage_sums.charge_id asc
)

select * from ordered
