-- What: deliveries of which the vendor's own totals say whether they are final, whatever their files say.
--     Totals that are not final keep their account's month open. Final totals settle it: what the rows then deviate
--     by is a difference (vendor_differences), which blocks by itself until it is explained or accepted.
-- Grain: delivery of which totals decide.
-- Keys: delivery_id.
-- Inputs: known_deliveries (with is_current), vendor_totals (in force).
-- Params: none.
-- Units: none.
-- Fails: never; a delivery with a currency without totals is not settled by those of its others.
with

known_deliveries as (
    select * from known_deliveries
    where is_current
),

totals as (
    select
        source,
        billing_account_id,
        billing_period,
        currency,
        bool_and(is_final) as is_final,
    from vendor_totals
    group by
        source,
        billing_account_id,
        billing_period,
        currency
),

decided as (
    select
        known_deliveries.delivery_id,
        bool_and(
            case
                when not totals.is_final then false
                -- A proforma invoice bills nothing, whatever its total is.
                when totals.is_final and coalesce(known_deliveries.invoice_status, '') <> 'proforma' then true
                else known_deliveries.is_final
            end
        ) as is_final,
    from known_deliveries
    left join totals
        on
            known_deliveries.source = totals.source
            and known_deliveries.billing_account_id = totals.billing_account_id
            and known_deliveries.billing_period = totals.billing_period
            and known_deliveries.currency = totals.currency
    group by known_deliveries.delivery_id
    having bool_or(totals.is_final is not null)
)

select * from decided
order by delivery_id
