-- What: charges with their situation: customer, product, and the names and facts of the product in the catalogue.
-- Grain: one charge, as the input.
-- Keys: charge_id.
-- Inputs: dated_charges, term_stretches, attributed_situations, reference_products.
-- Params: none.
-- Units: as the input.
-- Fails: never drops or repeats a charge. Names follow the catalogue as it is now; what decides a price does not.
with

dated_charges as (
    select * from dated_charges
),

term_stretches as (
    select * from term_stretches
),

attributed_situations as (
    select * from attributed_situations
),

reference_products as (
    select * from reference_products
),

named_situations as (
    select
        attributed_situations.*,
        reference_products.name as catalogue_name,
        reference_products.pay_per_use as catalogue_pay_per_use,
        coalesce(reference_products.tax_category, 'standard') as tax_category,
    from attributed_situations
    left join reference_products
        on attributed_situations.product_id = reference_products.product_id
),

charges as (
    select
        dated_charges.* exclude (term_day),
        term_stretches.stretch_day as term_day,
    from dated_charges
    left join term_stretches
        on dated_charges.term_day = term_stretches.term_day
),

attributed as (
    select
        charges.*,
        named_situations.situation_id,
        named_situations.customer_id,
        named_situations.product_id,
        named_situations.product_type,
        coalesce(named_situations.catalogue_name, charges.vendor_product_name, named_situations.product_id)
            as product_name,
        coalesce(named_situations.catalogue_pay_per_use, charges.is_pay_per_use, charges.line_number is null)
            as pay_per_use,
        named_situations.tax_category,
    from charges
    left join named_situations
        on
            charges.delivery_id = named_situations.delivery_id
            and charges.sub_account_id is not distinct from named_situations.sub_account_id
            and charges.vendor_product_id is not distinct from named_situations.vendor_product_id
            and charges.vendor_product_type is not distinct from named_situations.vendor_product_type
            and charges.term_day = named_situations.term_day
            and charges.known_at = named_situations.known_at
            and (charges.line_number is not null) = named_situations.is_item
)

select * from attributed
