-- What: scalar macros that several selects share.
--
-- exact_ratio: numerator / denominator to 10 places, half away from zero, without floating point.
--     DuckDB divides decimals as DOUBLE (measured), so both sides become integers first: a DECIMAL(38, 18)
--     printed without its point is its value times 10^18. For display and derived percentages only.
--     Units: a pure number or an amount per unit; both sides count to 18 decimals. Null, never an error, when a side is
--     null, when the denominator is zero to 18 decimals, when the numerator is so large (from 10^10) that ten more
--     places would not fit, or when the ratio itself is (from 10^17).
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
