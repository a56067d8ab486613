-- What: deliveries of which the vendor's own totals say whether they are final, whatever their files say.
--     Totals that are not final keep their account's month open. Final totals settle it if they agree with the rows
--     without tax, but for the rounding of an invoice to the minor unit.
-- Grain: delivery of which totals decide.
-- Keys: delivery_id.
-- Inputs: known_deliveries (with is_current), vendor_totals (in force), every_bucket (usage_reconciliation of all
--     days), currency_units (currency, half_unit: half of its minor unit).
-- Params: none.
-- Units: amounts in currency.
-- Fails: never; a delivery that is not reconciled yet, or has a currency without totals, is not settled by them.
with

known_deliveries as (
    select * from known_deliveries
    where is_current
),

currency_units as (
    select * from currency_units
),

totals as (
    select
        source,
        billing_account_id,
        billing_period,
        currency,
        sum(net_total) as net_total,
        bool_and(is_final) as is_final,
    from vendor_totals
    group by
        source,
        billing_account_id,
        billing_period,
        currency
),

net_of_delivery as (
    select
        delivery_id,
        currency,
        coalesce(sum(amount) filter (where bucket <> 'tax'), 0) as net_amount,
    from every_bucket
    group by
        delivery_id,
        currency
),

-- A distributor's invoices are one delivery each; a vendor's total is of all that the account has in the month.
net_of_account as (
    select
        known_deliveries.source,
        known_deliveries.billing_account_id,
        known_deliveries.billing_period,
        known_deliveries.currency,
        sum(net_of_delivery.net_amount) as net_amount,
        count(*) = count(net_of_delivery.net_amount) as is_reconciled,
    from known_deliveries
    left join net_of_delivery
        on
            known_deliveries.delivery_id = net_of_delivery.delivery_id
            and known_deliveries.currency = net_of_delivery.currency
    group by
        known_deliveries.source,
        known_deliveries.billing_account_id,
        known_deliveries.billing_period,
        known_deliveries.currency
),

compared as (
    select
        net_of_account.source,
        net_of_account.billing_account_id,
        net_of_account.billing_period,
        net_of_account.currency,
        totals.is_final,
        net_of_account.is_reconciled
        and abs(totals.net_total - net_of_account.net_amount) <= currency_units.half_unit as is_agreed,
    from net_of_account
    inner join totals
        on
            net_of_account.source = totals.source
            and net_of_account.billing_account_id = totals.billing_account_id
            and net_of_account.billing_period = totals.billing_period
            and net_of_account.currency = totals.currency
    inner join currency_units
        on net_of_account.currency = currency_units.currency
),

decided as (
    select
        known_deliveries.delivery_id,
        bool_and(
            case
                when not compared.is_final then false
                when compared.is_agreed then true
                else known_deliveries.is_final
            end
        ) as is_final,
    from known_deliveries
    left join compared
        on
            known_deliveries.source = compared.source
            and known_deliveries.billing_account_id = compared.billing_account_id
            and known_deliveries.billing_period = compared.billing_period
            and known_deliveries.currency = compared.currency
    group by known_deliveries.delivery_id
    having bool_or(compared.is_final is not null)
)

select * from decided
order by delivery_id
