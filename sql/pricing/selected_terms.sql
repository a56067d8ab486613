-- What: the one term that sets the price, for each situation in which a charge can be.
-- Grain: customer, product, product type, vendor, term day and arrival.
-- Keys: all six.
-- Inputs: situations (the distinct combinations to price), reference_special_prices, reference_pricing_rules,
--     reference_customers (a special price without currency is in the customer's invoice currency).
-- Params: none.
-- Units: percent as a number (12.5 is 12.5 %), unit_price per unit in term_currency.
-- Fails: a situation without any term is absent from the result. First match wins: special price, rule for the product,
--     for its type, for its vendor. Terms known when the delivery arrived come first, of one kind the one recorded
--     last; only where none was known does a later one fill the gap, and then the one recorded first.
with

situations as (
    select * from situations
),

reference_customers as (
    select * from reference_customers
),

special_prices as (
    select
        reference_special_prices.special_price_id,
        reference_special_prices.customer_id,
        reference_special_prices.product_id,
        reference_special_prices.method,
        reference_special_prices.percent,
        reference_special_prices.unit_price,
        reference_special_prices.valid_from,
        reference_special_prices.valid_to,
        reference_special_prices.recorded_at,
        reference_special_prices.source_row,
        coalesce(reference_special_prices.currency, reference_customers.invoice_currency) as currency,
    from reference_special_prices
    left join reference_customers
        on reference_special_prices.customer_id = reference_customers.customer_id
),

pricing_rules as (
    select * from reference_pricing_rules
),

matched as (
    select
        situations.*,
        1 as priority,
        'special_price' as price_term,
        special_prices.special_price_id as price_term_id,
        special_prices.method,
        special_prices.percent,
        special_prices.unit_price,
        special_prices.currency as term_currency,
        special_prices.recorded_at,
        special_prices.source_row,
    from situations
    inner join special_prices
        on
            situations.customer_id = special_prices.customer_id
            and situations.product_id = special_prices.product_id
            and situations.term_day >= special_prices.valid_from
            and (situations.term_day < special_prices.valid_to or special_prices.valid_to is null)
    union all
    select
        situations.*,
        2 as priority,
        'pricing_rule' as price_term,
        pricing_rules.rule_id as price_term_id,
        pricing_rules.method,
        pricing_rules.percent,
        null as unit_price,
        null as term_currency,
        pricing_rules.recorded_at,
        pricing_rules.source_row,
    from situations
    inner join pricing_rules
        on
            pricing_rules.scope = 'product'
            and situations.product_id = pricing_rules.scope_id
            and situations.term_day >= pricing_rules.valid_from
            and (situations.term_day < pricing_rules.valid_to or pricing_rules.valid_to is null)
    union all
    select
        situations.*,
        3 as priority,
        'pricing_rule' as price_term,
        pricing_rules.rule_id as price_term_id,
        pricing_rules.method,
        pricing_rules.percent,
        null as unit_price,
        null as term_currency,
        pricing_rules.recorded_at,
        pricing_rules.source_row,
    from situations
    inner join pricing_rules
        on
            pricing_rules.scope = 'product_type'
            and situations.product_type = pricing_rules.scope_id
            and situations.term_day >= pricing_rules.valid_from
            and (situations.term_day < pricing_rules.valid_to or pricing_rules.valid_to is null)
    union all
    select
        situations.*,
        4 as priority,
        'pricing_rule' as price_term,
        pricing_rules.rule_id as price_term_id,
        pricing_rules.method,
        pricing_rules.percent,
        null as unit_price,
        null as term_currency,
        pricing_rules.recorded_at,
        pricing_rules.source_row,
    from situations
    inner join pricing_rules
        on
            pricing_rules.scope = 'vendor'
            and situations.vendor = pricing_rules.scope_id
            and situations.term_day >= pricing_rules.valid_from
            and (situations.term_day < pricing_rules.valid_to or pricing_rules.valid_to is null)
),

ranked as (
    select
        *,
        row_number() over (
            partition by customer_id, product_id, product_type, vendor, term_day, received_at
            order by
                case when recorded_at <= received_at then 0 else 1 end asc,
                case when recorded_at <= received_at then 0 else epoch_us(recorded_at) end asc,
                priority asc,
                epoch_us(recorded_at) desc,
                source_row asc
        ) as choice,
    from matched
),

selected as (
    select
        customer_id,
        product_id,
        product_type,
        vendor,
        term_day,
        received_at,
        price_term,
        price_term_id,
        method,
        percent,
        unit_price,
        term_currency,
    from ranked
    where choice = 1
)

select * from selected
