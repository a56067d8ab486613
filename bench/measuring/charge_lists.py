"""The workspace whose list of customer charges is measured: so many charges in the lake, made once and kept.

The charges are made in SQL, straight into the lake: to intake and price a million items of distributors' invoices is
measured elsewhere, and is not what a list costs.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from measuring.workspaces import DATA

if TYPE_CHECKING:
    from resources.lake import Lake

_DAYS = tuple(f"2026-10-{day:02}" for day in range(1, 21))
# Fifty lines an invoice; two thousand customers; unit prices of four decimals, and of ten for what is metered.
_CHARGES = """
    with
    numbers as (
        select number, cast(hash(number) >> 2 as bigint) as dice from range($first, $first + $rows) as numbers(number)
    ),
    priced as (
        select
            *,
            dice % 33 = 0 as is_credit,
            dice % 5 = 0 as is_metered,
            'D-2026-' || lpad((number // 50)::varchar, 7, '0') as invoice_number,
            ['EUR', 'EUR', 'EUR', 'USD', 'JPY'][1 + (number // 50) % 5] as currency,
            case when dice % 33 = 0 then -1 else 1 end
                * case
                    when dice % 5 = 0
                        then cast((dice >> 8) % 100000000 as decimal(9, 0)) * cast('0.0000000001' as decimal(11, 10))
                    else cast((dice >> 8) % 100000 as decimal(9, 0)) * cast('0.01' as decimal(11, 10))
                end as cost,
            cast(1 + (dice >> 32) % 400 as decimal(9, 3)) as amount,
        from numbers
    ),
    charges as (
        select
            *,
            cast(cast(cost as decimal(19, 10)) * cast('1.175' as decimal(4, 3)) as decimal(38, 18)) as sell,
            cast(amount * case when is_metered then cast('1.625' as decimal(4, 3)) else 1 end as decimal(16, 6))
                as quantity_used,
        from priced
    )
    select
        lower(to_hex(hash(number, 1)) || to_hex(hash(number, 2))) || '-' || number as line_item_id,
        invoice_number,
        date '2026-10-01' + cast((number // 50) % 20 as integer) as invoice_date,
        case when is_credit then 'Credit' else 'Debit' end as type,
        'Customer ' || (number // 7) % 2000 || ' ' || ['Ltd', 'GmbH & Co. KG', 'A.E.', 'S.r.l.'][1 + number % 4]
            as customer,
        ['Microsoft 365 Business Premium', 'Azure plan, pay as you go: Virtual Machines D4s v5', 'Exchange Online',
            'Amazon Elastic Compute Cloud'][1 + dice % 4] || ' (annual commitment, billed monthly)' as description,
        date '2026-09-01' + cast(dice % 30 as integer) as start_date,
        date '2026-10-01' + cast(dice % 30 as integer) as end_date,
        cast(cost as decimal(38, 18)) as unit_cost_price,
        sell as unit_sell_price,
        cast(quantity_used as decimal(38, 18)) as quantity,
        case when is_metered then 'Hour' else 'Month' end as unit,
        cast(cast(cost as decimal(19, 10)) * quantity_used as decimal(38, 24)) as total_cost_price,
        cast(cast(sell as decimal(22, 13)) * quantity_used as decimal(38, 24)) as total_sell_price,
        case when is_metered then 'Cloud' else 'License' end as product_type,
        ['Microsoft 365', 'Azure plan', 'Exchange Online', 'Amazon EC2'][1 + dice % 4] as product_name,
        currency,
        'c' || (number // 7) % 2000 as customer_id,
        'dist' as source,
        'charge-' || number as charge_id,
        'pricing_rule' as price_term,
        'r1' as price_term_id,
        '2026-10' as billing_period,
        'dist/' || $day as delivery_id,
        (1 + number % 50)::varchar as line_number,
        'p' || dice % 4 as product_id,
        cast(1 as bigint) as row_count,
    from charges
"""


def charges_folder(rows: int) -> Path:
    """Return the folder of the workspace with that many customer charges, which git ignores."""
    return DATA / f"charges-{rows}"


def make_charges(rows: int) -> None:
    """Write customer charges of twenty days of arrival into the lake of a workspace, unless they are there."""
    from billing_pipeline.samples.sources import sample_billing_toml  # noqa: PLC0415
    from billing_pipeline.schemas.customer_charges import CUSTOMER_CHARGES  # noqa: PLC0415
    from resources.lake import Lake  # noqa: PLC0415
    from resources.session import duckdb_session  # noqa: PLC0415

    home = charges_folder(rows)
    done = home / "made"
    # What a charge holds may have changed since.
    columns = "\n".join(f"{column.name} {column.type}" for column in CUSTOMER_CHARGES.columns) + _CHARGES
    if done.exists() and done.read_text(encoding="utf-8") == columns:
        return
    home.mkdir(parents=True, exist_ok=True)
    (home / "billing.toml").write_text(sample_billing_toml(), encoding="utf-8")
    lake = Lake(home / "lake")
    with duckdb_session(temp_directory=home / ".duckdb") as connection:
        for position, day in enumerate(_DAYS):
            first = position * rows // len(_DAYS)
            count = (position + 1) * rows // len(_DAYS) - first
            query = _CHARGES.replace("$first", str(first)).replace("$rows", str(count)).replace("$day", f"'{day}'")
            lake.write(connection, CUSTOMER_CHARGES, day, query)
            _write_delivery(lake, day, count)
    done.write_text(columns, encoding="utf-8")


def _write_delivery(lake: "Lake", day: str, row_count: int) -> None:
    """Write the delivery that a day's charges came in, the current one of its slot."""
    import polars as pl  # noqa: PLC0415

    from billing_pipeline.schemas.deliveries import DELIVERIES  # noqa: PLC0415

    arrived = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    filled: dict[str, object] = {
        "delivery_id": f"dist/{day}",
        "slot": f"dist/{day}",
        "is_final": True,
        "file_count": 1,
        "row_count": row_count,
        "total_cost": 0,
        "currency": "EUR",
        "file_names": "[]",
        "parquet_files": "[]",
    }
    kinds: dict[str, object] = {"VARCHAR": "bench", "TIMESTAMP WITH TIME ZONE": arrived}
    row = {
        column.name: filled.get(column.name, None if column.nullable else kinds.get(column.type))
        for column in DELIVERIES.columns
    }
    lake.write_frame(DELIVERIES, day, pl.DataFrame([row], schema=DELIVERIES.empty_frame().schema))
