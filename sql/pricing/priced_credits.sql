-- What: distributor credit notes, priced with the frozen terms of the line each of them credits.
-- Grain: one credited item, as the input.
-- Keys: charge_id.
-- Inputs: attributed_credits, known_debits (priced lines of debit invoices, any day of arrival).
-- Params: none.
-- Units: as priced_debits; unit prices and totals are negative, quantities positive.
-- Fails: never drops a credit. A credit whose debit is unknown, ambiguous, unpriced, or another customer's keeps
--     total_sell null and a reason: it is never priced with today's terms, because a recomputed price returns another
--     amount than the one charged. A credit at a part of the unit cost returns that part of the frozen unit price,
--     never more than the whole of it, and has a note. A line without unit price (tiers) returns the part of its total
--     that its quantity is of the line's, to 18 decimals.
with

attributed_credits as (
    select * from attributed_credits
),

known_debits as (
    select * from known_debits
),

candidates as (
    select
        attributed_credits.charge_id,
        known_debits.line_item_id as credited_line_item_id,
        known_debits.unit_cost as debit_unit_cost,
        known_debits.unit_sell as debit_unit_sell,
        known_debits.srp as debit_srp,
        known_debits.price_term,
        known_debits.price_term_id,
        known_debits.price_scope,
        known_debits.price_scope_id,
        known_debits.price_method,
        known_debits.price_percent,
        known_debits.price_unit_price,
        known_debits.tier_quantity,
        known_debits.adjustment_ids,
        known_debits.adjustment_percent,
        known_debits.quantity as debit_quantity,
        known_debits.total_sell as debit_total_sell,
        known_debits.customer_id as debit_customer_id,
        known_debits.currency as debit_currency,
        known_debits.line_number as debit_line_number,
        -- The version of the debit that was known when the credit arrived; else the first that arrived later.
        row_number() over (
            partition by attributed_credits.charge_id, known_debits.line_number
            order by
                case when known_debits.received_at <= attributed_credits.received_at then 0 else 1 end,
                case
                    when known_debits.received_at <= attributed_credits.received_at
                        then -epoch_us(known_debits.received_at)
                    else epoch_us(known_debits.received_at)
                end,
                known_debits.line_item_id
        ) as choice,
    from attributed_credits
    inner join known_debits
        on
            attributed_credits.source = known_debits.source
            and attributed_credits.credits_invoice_number = known_debits.invoice_number
            and (
                attributed_credits.credits_line_number = known_debits.line_number
                or (
                    attributed_credits.credits_line_number is null
                    and attributed_credits.product_id = known_debits.product_id
                    and attributed_credits.sub_account_id = known_debits.sub_account_id
                )
            )
),

current_candidates as (
    select * from candidates
    where choice = 1
),

counted as (
    select
        charge_id,
        count(*) as debit_count,
    from current_candidates
    group by charge_id
),

credited as (
    select
        attributed_credits.*,
        counted.debit_count,
        current_candidates.credited_line_item_id,
        current_candidates.debit_unit_cost,
        current_candidates.debit_unit_sell,
        current_candidates.debit_customer_id,
        current_candidates.debit_srp,
        current_candidates.debit_currency,
        current_candidates.price_term,
        current_candidates.price_term_id,
        current_candidates.price_scope,
        current_candidates.price_scope_id,
        current_candidates.price_method as method,
        current_candidates.price_percent as percent,
        current_candidates.price_unit_price,
        current_candidates.tier_quantity,
        current_candidates.adjustment_ids,
        current_candidates.adjustment_percent,
        current_candidates.debit_quantity,
        current_candidates.debit_total_sell,
        -- Half the cost back is half the price back: the frozen markup, whatever was made of it since.
        case
            when
                abs(attributed_credits.file_unit_cost) < abs(current_candidates.debit_unit_cost)
                and (
                    attributed_credits.file_unit_cost = 0
                    or (attributed_credits.file_unit_cost < 0) = (current_candidates.debit_unit_cost < 0)
                )
                then exact_share(abs(attributed_credits.file_unit_cost), abs(current_candidates.debit_unit_cost))
        end as credited_share,
    from attributed_credits
    left join counted
        on attributed_credits.charge_id = counted.charge_id
    left join current_candidates
        on
            attributed_credits.charge_id = current_candidates.charge_id
            and counted.debit_count = 1
),

-- Step by step: a macro within a macro is written out many times over, and planning it took a quarter of a second.
quantity_shares as (
    select
        *,
        case
            when debit_unit_sell is null and (quantity <> debit_quantity or credited_share is not null)
                then exact_share(abs(quantity), abs(debit_quantity))
        end as quantity_share,
    from credited
),

returned_shares as (
    select
        *,
        exact_product(quantity_share, coalesce(credited_share, 1)) as returned_share,
    from quantity_shares
),

checked as (
    select
        * exclude (note),
        case
            when credits_invoice_number is null then 'the credit names no invoice that it credits'
            when debit_count is null
                then
                    'the credited line is not known: ' || credits_invoice_number
                    || coalesce(' line ' || credits_line_number, '')
            when debit_count > 1
                then 'the credit names no line and several lines of ' || credits_invoice_number || ' fit'
            when debit_currency <> currency then 'the credited line is in ' || debit_currency
            when debit_total_sell is null then 'the credited line has no price itself'
            when debit_customer_id <> customer_id then 'the credited line belongs to customer ' || debit_customer_id
            when debit_unit_sell is null and debit_quantity = 0 and quantity <> 0
                then 'the credited line has neither a unit price nor a quantity'
        end as unpriced_reason,
        case
            when credited_share is not null
                then
                    'the credit is for ' || shown_number(file_unit_cost) || ' of the credited line''s unit cost of '
                    || shown_number(debit_unit_cost) || ', and returns that part of its price'
            when file_unit_cost <> debit_unit_cost
                then 'the credit has another unit cost than the credited line, whose whole unit price it takes'
        end as note,
        case
            when credited_share is null then debit_unit_sell
            else
                cast(
                    exact_product(cast(debit_unit_sell as decimal(38, 18)), credited_share) as decimal(38, 15)
                )
        end as credited_unit_sell,
        case
            when debit_unit_sell is not null then null
            when quantity = debit_quantity and credited_share is null then debit_total_sell
            else
                cast(
                    exact_product(cast(debit_total_sell as decimal(38, 18)), returned_share) as decimal(38, 24)
                )
        end as credited_total_sell,
    from returned_shares
),

priced as (
    select
        *,
        cast(-file_unit_cost as decimal(38, 18)) as unit_cost,
        case when unpriced_reason is null then cast(-credited_unit_sell as decimal(38, 18)) end as unit_sell,
        cast(-coalesce(debit_srp, file_list_price) as decimal(38, 18)) as srp,
        cast(cast(quantity as decimal(28, 9)) * -file_unit_cost as decimal(38, 24)) as total_cost,
        cast(null as decimal(38, 24)) as total_before_adjustment,
        cast(null as varchar) as price_list_id,
        cast(null as decimal(38, 18)) as expected_unit_cost,
        case
            when unpriced_reason is not null then null
            when credited_unit_sell is not null
                then cast(
                        cast(quantity as decimal(28, 9)) * cast(-credited_unit_sell as decimal(29, 15))
                        as decimal(38, 24)
                    )
            else -credited_total_sell
        end as total_sell,
        cast(
            cast(quantity as decimal(28, 9)) * cast(-coalesce(debit_srp, file_list_price) as decimal(29, 15))
            as decimal(38, 24)
        ) as total_list,
    from checked
)

select * from priced
