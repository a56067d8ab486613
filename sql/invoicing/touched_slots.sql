-- What: customers' shares of a delivery's place in a month (source, account, period) that are not what was billed.
-- Grain: customer, source, billing account, billing period with a difference; none is the usual answer.
-- Keys: the same.
-- Inputs: billed_before (charges on documents, with customer_id), month_items (drafted_items of the locked months).
-- Params: none.
-- Units: none. Two sides are the same if they have as many charges of the same ids, amounts and costs.
-- Fails: never; what differs in nothing but the order of rows is not found.
with

billed_before as (
    select
        customer_id,
        source,
        billing_account_id,
        billing_period,
        count(*) as charge_count,
        sum(
            cast(
                hash(charge_id, cast(amount_precise as decimal(38, 24)), cast(total_cost as decimal(38, 24))) as hugeint
            )
        ) as fingerprint,
    from billed_before
    group by
        customer_id,
        source,
        billing_account_id,
        billing_period
),

month_items as (
    select
        customer_id,
        source,
        billing_account_id,
        billing_period,
        count(*) as charge_count,
        sum(
            cast(
                hash(charge_id, cast(amount_precise as decimal(38, 24)), cast(total_cost as decimal(38, 24))) as hugeint
            )
        ) as fingerprint,
    from month_items
    group by
        customer_id,
        source,
        billing_account_id,
        billing_period
),

compared as (
    select
        coalesce(billed_before.customer_id, month_items.customer_id) as customer_id,
        coalesce(billed_before.source, month_items.source) as source,
        coalesce(billed_before.billing_account_id, month_items.billing_account_id) as billing_account_id,
        coalesce(billed_before.billing_period, month_items.billing_period) as billing_period,
        billed_before.charge_count as billed_count,
        month_items.charge_count as current_count,
        billed_before.fingerprint as billed_fingerprint,
        month_items.fingerprint as current_fingerprint,
    from billed_before
    full join month_items
        on
            billed_before.customer_id = month_items.customer_id
            and billed_before.source = month_items.source
            and billed_before.billing_account_id = month_items.billing_account_id
            and billed_before.billing_period = month_items.billing_period
)

select
    customer_id,
    source,
    billing_account_id,
    billing_period,
    coalesce(billed_count, 0) as billed_count,
    coalesce(current_count, 0) as current_count,
from compared
where
    billed_count is distinct from current_count
    or billed_fingerprint is distinct from current_fingerprint
