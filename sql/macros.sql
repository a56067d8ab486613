-- What: scalar macros that several selects share.
--
-- exact_ratio: numerator / denominator to 10 places, half away from zero, without floating point.
--     DuckDB divides decimals as DOUBLE (measured), so both sides become integers first: a DECIMAL(38, 18)
--     printed without its point is its value times 10^18. For display and derived percentages only.
--     Units: a pure number or an amount per unit; both sides count to 18 decimals. Null, never an error, when a side is
--     null, when the denominator is zero to 18 decimals, when the numerator is so large (from 10^10) that ten more
--     places would not fit, or when the ratio itself is (from 10^17).
-- exact_product: the product of two amounts to 18 decimals, half away from zero, as if computed with all 36 decimals.
--     DuckDB's own product of two DECIMAL(38, 18) does not fit 38 digits (measured), so whole parts and fractions are
--     multiplied apart. Units: those of the factors. Null when a factor is null; an error from 10^19 on.
-- before_credit: amount / (1 - rate), the amount before a credit of that rate, to 18 decimals, half away from zero,
--     without floating point. Null where the rate is null, below 0, 1 or more, or has more than 6 decimals. An amount
--     from 10^13 is an error.
-- usage_charge_id: the key of one usage charge, from the facts that make up the charge grain.
-- item_charge_id: the key of one distributor-invoice item.
create or replace macro scaled_integer(amount) as
cast(replace(cast(cast(amount as decimal(38, 18)) as varchar), '.', '') as hugeint);

create or replace macro exact_ratio(numerator, denominator) as
case
    when abs(numerator) < 10000000000
        then cast(
                try_cast(
                    (
                        abs(scaled_integer(numerator)) * cast(10000000000 as hugeint)
                        + abs(scaled_integer(denominator))
                        // 2
                    )
                    // nullif(abs(scaled_integer(denominator)), 0)
                    as decimal(27, 0)
                ) * cast(0.0000000001 as decimal(11, 10))
                * cast(case when (numerator < 0) <> (denominator < 0) then -1 else 1 end as decimal(1, 0))
                as decimal(38, 18)
            )
end;

create or replace macro whole_part(amount) as cast(trunc(cast(amount as decimal(38, 18))) as decimal(19, 0));

create or replace macro fraction_part(amount) as
cast(cast(amount as decimal(38, 18)) - trunc(cast(amount as decimal(38, 18))) as decimal(18, 18));

create or replace macro exact_product(one, other) as
cast(whole_part(one) * whole_part(other) as decimal(38, 18))
+ cast(whole_part(one) * fraction_part(other) as decimal(38, 18))
+ cast(fraction_part(one) * whole_part(other) as decimal(38, 18))
+ cast(fraction_part(one) * fraction_part(other) as decimal(38, 18));

create or replace macro credited_units(amount, rest_millionths) as
(abs(scaled_integer(amount)) * cast(2000000 as hugeint) + rest_millionths) // (2 * nullif(rest_millionths, 0));

create or replace macro units_as_amount(units) as
cast(units // cast(1000000000000000000 as hugeint) as decimal(38, 18))
+ cast(units % cast(1000000000000000000 as hugeint) as decimal(18, 0))
* cast('0.000000000000000001' as decimal(18, 18));

create or replace macro before_credit(amount, rate) as
case
    when rate >= 0 and rate < 1 and rate = cast(rate as decimal(18, 6))
        then cast(
                units_as_amount(
                    credited_units(amount, cast((1 - cast(rate as decimal(18, 6))) * 1000000 as hugeint))
                ) * cast(case when amount < 0 then -1 else 1 end as decimal(1, 0))
                as decimal(38, 18)
            )
end;

create or replace macro usage_charge_id(
    delivery_id,
    sub_account_id,
    sku_id,
    service_name,
    service_category,
    charge_day,
    charge_category,
    charge_class,
    charge_nature,
    pricing_unit,
    billing_currency
) as 'use-' || md5(concat_ws(
    chr(31),
    delivery_id,
    coalesce(sub_account_id, chr(30)),
    coalesce(sku_id, chr(30)),
    coalesce(service_name, chr(30)),
    coalesce(service_category, chr(30)),
    coalesce(cast(charge_day as varchar), chr(30)),
    coalesce(charge_category, chr(30)),
    coalesce(charge_class, chr(30)),
    charge_nature,
    coalesce(pricing_unit, chr(30)),
    billing_currency
));

create or replace macro item_charge_id(delivery_id, line_number) as
'item-' || md5(concat_ws(chr(31), delivery_id, line_number));
