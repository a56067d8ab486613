-- What: charges whose price has tiers, with the quantity that chooses the tier and the customer's quantity before them.
-- Grain: one charge with a tiered price.
-- Keys: charge_id.
-- Inputs: attributed_charges, selected_terms.
-- Params: none.
-- Units: quantities in the charge's unit.
-- Fails: never. The tier of a distributor item is chosen by its own quantity; that of usage by the customer's whole
--     quantity of the product, unit and currency in the delivery. Charges whose customer or price was only recorded
--     later come after those priced before, and so change nothing of them. The quantity is null, and so prices nothing,
--     as soon as one of those charges has none.
with

attributed_charges as (
    select * from attributed_charges
    where charge_nature = 'usage' and customer_id is not null
),

selected_terms as (
    select * from selected_terms
    where has_tiers
),

tiered as (
    select
        attributed_charges.charge_id,
        attributed_charges.situation_id,
        attributed_charges.quantity,
        attributed_charges.period_start,
        attributed_charges.delivery_id,
        attributed_charges.customer_id,
        attributed_charges.product_id,
        attributed_charges.unit,
        attributed_charges.currency,
        selected_terms.method,
        selected_terms.price_term_id,
        selected_terms.price_scope,
        selected_terms.price_scope_id,
        selected_terms.priced_at,
        -- Every item is a purchase of its own.
        case when attributed_charges.line_number is not null then attributed_charges.charge_id end as item_id,
    from attributed_charges
    inner join selected_terms
        on attributed_charges.situation_id = selected_terms.situation_id
),

summed as (
    select
        charge_id,
        situation_id,
        method,
        quantity,
        case
            when
                count(quantity) over priced_by_then = count(*) over priced_by_then
                then cast(sum(quantity) over priced_by_then as decimal(38, 18))
        end as tier_quantity,
        cast(sum(quantity) over up_to_here as decimal(38, 18)) as quantity_after,
    from tiered
    window
        priced_by_then as (
            partition by
                delivery_id,
                customer_id,
                product_id,
                unit,
                currency,
                method,
                price_term_id,
                price_scope,
                price_scope_id,
                item_id
            order by priced_at
            range between unbounded preceding and current row
        ),
        up_to_here as (
            partition by
                delivery_id,
                customer_id,
                product_id,
                unit,
                currency,
                method,
                price_term_id,
                price_scope,
                price_scope_id,
                item_id
            order by
                priced_at,
                period_start,
                charge_id
            rows between unbounded preceding and current row
        )
),

tiered_charges as (
    select
        charge_id,
        situation_id,
        method,
        tier_quantity,
        cast(quantity_after - quantity as decimal(38, 18)) as quantity_before,
        quantity_after,
    from summed
)

select * from tiered_charges
