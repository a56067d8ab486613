-- What: scalar macros that several selects share.
--
-- exact_ratio: numerator / denominator to 10 places, half away from zero, without floating point.
--     DuckDB divides decimals as DOUBLE (measured), so both sides become integers first: a DECIMAL(38, 18)
--     printed without its point is its value times 10^18. For display and derived percentages only.
--     Units: a pure number or an amount per unit; both sides count to 18 decimals. Null, never an error, when a side is
--     null, when the denominator is zero to 18 decimals, when the numerator is so large (from 10^10) that ten more
--     places would not fit, or when the ratio itself is (from 10^17).
-- exact_share: part / whole to 18 places, half away from zero, without floating point; neither is negative and both
--     have at most 9 decimals. Null when the whole is zero; a share from 10^20 on is an error.
-- exact_product: the product of two amounts to 18 decimals, half away from zero, as if computed with all 36 decimals.
--     DuckDB's own product of two DECIMAL(38, 18) does not fit 38 digits (measured), so whole parts and fractions are
--     multiplied apart. Units: those of the factors. Null when a factor is null; an error from 10^19 on.
-- before_credit: amount / (1 - rate), the amount before a credit of that rate, to 18 decimals, half away from zero,
--     without floating point. Null where the rate is null, below 0, 1 or more, or has more than 6 decimals. An amount
--     from 10^13 is an error.
-- usage_charge_id: the key of one usage charge, from the facts that make up the charge grain.
-- item_charge_id: the key of one distributor-invoice item.
-- charge_identity: what finds a charge of an account and month again in another delivery of them: of a distributor's
--     item its line, of usage everything that makes up the charge grain as far as priced charges keep it.
-- charge_group_id: the key of usage charges that are one row of the customer charges, or of the excluded ones. The
--     former have neither reason nor account.
--
-- is_usable: whether a row of a reference file may decide for a charge: it was known at known_at, or it was recorded
--     later and was not withdrawn before the charge was first seen, at seen_at. A row that is not usable never counts.
-- knowledge_order: what the rows that fit are put in order by, the one that counts first: rows known at known_at before
--     those that fill a gap. Of known rows the strongest kind of term (smallest priority), then the one recorded last;
--     of others the one recorded first, so that a later row never changes a price, then the strongest. Then the one not
--     withdrawn: of a row and its correction that names the same instant, the correction.
-- toward_zero: an amount without the decimals after its 18th.
-- adjusted: an amount to 24 decimals times a multiplier of 6, rounded once, at the 24th decimal, half away from zero.
--     An amount or a product from 10^14 on is an error.
-- is_exactly_adjusted: whether `adjusted` does not round.
-- slice_quantity: how much of a quantity lies between two bounds; negative for a negative quantity.
-- packages_begun: how many packages a quantity opens; negative for a negative quantity.
-- shown_number: a decimal as a person writes it, without the zeros of its type.
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

create or replace macro units_as_amount(units) as
cast(units // cast(1000000000000000000 as hugeint) as decimal(38, 18))
+ cast(units % cast(1000000000000000000 as hugeint) as decimal(18, 0))
* cast('0.000000000000000001' as decimal(18, 18));

create or replace macro billionths(amount) as
cast(cast(amount as decimal(28, 9)) * 1000000000 as hugeint);

-- Nine places at a time: with all eighteen at once a unit cost of 170 billion would not fit.
create or replace macro share_units(part_units, whole_units) as
(part_units * cast(1000000000 as hugeint)) // nullif(whole_units, 0) * cast(1000000000 as hugeint)
+ (
    (part_units * cast(1000000000 as hugeint)) % nullif(whole_units, 0) * cast(1000000000 as hugeint)
    + whole_units // 2
)
// nullif(whole_units, 0);

create or replace macro exact_share(part, whole) as
units_as_amount(share_units(billionths(part), billionths(whole)));

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

create or replace macro charge_group_id(
    delivery_id,
    exclusion_reason,
    invoice_number,
    customer_id,
    sub_account_id,
    product_id,
    unit,
    charge_type,
    currency
) as 'sum-' || md5(concat_ws(
    chr(31),
    delivery_id,
    coalesce(exclusion_reason, chr(30)),
    coalesce(invoice_number, chr(30)),
    coalesce(customer_id, chr(30)),
    coalesce(sub_account_id, chr(30)),
    coalesce(product_id, chr(30)),
    coalesce(unit, chr(30)),
    charge_type,
    currency
));

create or replace macro charge_identity(
    line_number, sub_account_id, product_id, charge_category, charge_nature, period_start, unit
) as
case
    when line_number is not null then 'item' || chr(31) || line_number
    else concat_ws(
            chr(31),
            'usage',
            coalesce(sub_account_id, chr(30)),
            coalesce(product_id, chr(30)),
            coalesce(charge_category, chr(30)),
            charge_nature,
            coalesce(cast(period_start as varchar), chr(30)),
            coalesce(unit, chr(30))
        )
end;

create or replace macro is_usable(recorded_at, withdrawn_at, known_at, seen_at) as
withdrawn_at is null
or withdrawn_at > case when recorded_at <= known_at then known_at else greatest(seen_at, recorded_at) end;

create or replace macro knowledge_order(recorded_at, withdrawn_at, known_at, priority, source_row) as
row(
    case when recorded_at <= known_at then 0 else epoch_us(recorded_at) end,
    priority,
    -epoch_us(recorded_at),
    case when withdrawn_at is null then 0 else 1 end,
    -epoch_us(coalesce(withdrawn_at, recorded_at)),
    source_row
);

create or replace macro toward_zero(amount) as
cast(amount as decimal(38, 18))
- case
    when amount >= 0 and cast(amount as decimal(38, 18)) > amount then cast('0.000000000000000001' as decimal(18, 18))
    when amount < 0 and cast(amount as decimal(38, 18)) < amount then cast('-0.000000000000000001' as decimal(18, 18))
    else 0
end;

create or replace macro adjusted(amount, multiplier) as
cast(cast(toward_zero(amount) as decimal(38, 18)) * cast(multiplier as decimal(14, 6)) as decimal(38, 24))
+ cast(
    cast(amount - toward_zero(amount) as decimal(24, 24)) * cast(multiplier as decimal(14, 6))
    as decimal(38, 24)
);

create or replace macro is_exactly_adjusted(amount, multiplier) as
cast(amount - toward_zero(amount) as decimal(24, 24)) * cast(multiplier as decimal(14, 6))
= cast(cast(amount - toward_zero(amount) as decimal(24, 24)) * cast(multiplier as decimal(14, 6)) as decimal(38, 24));

create or replace macro slice_quantity(quantity, slice_from, slice_to) as
greatest(least(abs(quantity), coalesce(slice_to, abs(quantity))) - slice_from, 0)
* cast(case when quantity < 0 then -1 else 1 end as decimal(1, 0));

create or replace macro packages_begun(quantity, package_size) as
((abs(scaled_integer(quantity)) + scaled_integer(package_size) - 1) // scaled_integer(package_size))
* case when quantity < 0 then -1 else 1 end;

create or replace macro shown_number(number) as
case
    when contains(cast(number as varchar), '.') then rtrim(rtrim(cast(number as varchar), '0'), '.')
    else cast(number as varchar)
end;
