"""Damage deliveries byte by byte and count what intake makes of each: `make test-corruption`.

Every case changes one byte of one file, or cuts the file short, and takes the delivery as a run does. It ends refused;
or taken with exactly the original's rows (the byte did not matter); or, in the plain CSV or JSON of an invoice, taken
with something changed that its net total does not cover: texts, ids (so the sum of a customer may move, to an id that
nobody knows), list prices, less than half a minor unit, or an invoice cut off whole.

The promise: no total and no row count is silently wrong where the files carry a checksum (gzip, zip, xlsx, Parquet with
page CRC) or totals (distributor invoices, DBR); with a checksum no cell at all. Two kinds are only measured, since
nothing in them covers amounts: Parquet without page CRC, and plain CSV whose manifest counts rows and bytes.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from billing_pipeline.configuration import Source, WorkspaceConfig
from resources.archive import Archive
from resources.intake import Intake, open_inbox
from resources.isolation import Converter
from resources.lake import Lake
from resources.session import duckdb_session
from resources.workspace import Workspace
from tests.faults.deliveries import Delivery, deliveries
from tests.workspaces import drop, instant

DAY = date(2026, 11, 25)
_ORGANISATION = {
    "id": "o", "name": "O", "time_zone": "UTC", "currency": "EUR", "country": "GR",
    "charges_start_on": "2020-01-01", "standard_edition_since": "2020-01-01",
}  # fmt: skip
# What says whose file a row is from changes with every byte of the file.
_OF_THE_FILE = ("delivery_id", "x_file_name", "x_file_sha256")
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Damage:
    """What is done to a file: from `position`, `byte` is xored to one byte, or, None, everything is cut off."""

    position: int
    byte: int | None

    def of(self, content: bytes) -> bytes:
        """Return the damaged content."""
        if self.byte is None:
            return content[: self.position]
        return b"".join(
            (content[: self.position], bytes((content[self.position] ^ self.byte,)), content[self.position + 1 :])
        )


def damages(content: bytes, count: int, seed: str) -> Iterator[Damage]:
    """Yield flips of one bit, flips of a whole byte, and cuts, seeded."""
    chance = random.Random(seed)
    for index in range(count):
        position = chance.randrange(len(content))
        byte = (1 << chance.randrange(8), None, chance.randrange(1, 256))[index % 3]
        yield Damage(position, byte)


class Sweep:
    """Takes deliveries, damaged or not, each in a workspace of its own; a context manager."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._session = duckdb_session(memory_limit="1GB", threads=1)
        self._number = 0

    def __enter__(self) -> Self:
        self._connection = self._session.__enter__()
        self._converter = Converter(self._connection, Path(self._folder.name), workers=1).__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._converter.__exit__(kind, error, trace)
        self._session.__exit__(kind, error, trace)
        self._folder.cleanup()

    def take(self, delivery: Delivery, damage: Damage | None = None) -> pl.DataFrame | None:
        """Return the rows that a delivery came to, None if it was refused."""
        self._number += 1
        workspace = Workspace.at(Path(self._folder.name) / str(self._number))
        source = Source(id="s", format=delivery.file_format, vendor="V", currency="EUR")
        config = WorkspaceConfig.model_validate({"organisation": _ORGANISATION, "sources": [source]})
        for name, content in delivery.files.items():
            is_damaged = damage is not None and name == delivery.damaged
            bytes_now = damage.of(content) if damage is not None and is_damaged else content
            drop(workspace, f"s/received={DAY}/{name}", bytes_now, instant(1))
        archive, lake = Archive(workspace.archive), Lake(workspace.lake)
        intake = Intake(self._connection, self._converter, config, archive, lake)
        intake.take(open_inbox(workspace.home, config, archive), DAY)
        files = sorted((workspace.lake / "vendor_charges").rglob("*.parquet"))
        if not files:
            return None
        rows = pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files])
        return rows.drop(_OF_THE_FILE).sort("billing_account_id", "x_row_key", "row_number", nulls_last=True)


def outcome(original: pl.DataFrame, found: pl.DataFrame | None) -> str:
    """Say what damage did: "refused", "harmless", or what is silently wrong."""
    if found is None:
        return "refused"
    if found.equals(original):
        return "harmless"
    if found.height != original.height:
        return "whole invoice lost" if _is_whole(original, found) else "wrong row count"
    if _sums(found) != _sums(original):
        difference = abs(sum(_sums(found).values()) - sum(_sums(original).values()))
        if difference == 0:
            return "other invoice, month or currency"
        return "within rounding" if difference < _CENT / 2 else "wrong amount"
    if _sums(found, "sub_account_id") != _sums(original, "sub_account_id"):
        return "wrong account sum"
    for name in ("list_cost", "effective_cost", "contracted_cost", "x_tax_total", "x_list_price"):
        if found[name].to_list() != original[name].to_list():
            return "wrong list price"
    return "wrong text"


def _is_whole(original: pl.DataFrame, found: pl.DataFrame) -> bool:
    accounts = found["billing_account_id"].unique().to_list()
    return found.height > 0 and found.drop("row_number").equals(
        original.filter(pl.col("billing_account_id").is_in(accounts)).drop("row_number")
    )


def _sums(rows: pl.DataFrame, *by: str) -> dict[tuple[object, ...], Decimal]:
    keys = ("billing_account_id", "billing_period", "billing_currency", *by)
    sums: dict[tuple[object, ...], Decimal] = {}
    for row in rows.select(*keys, "billed_cost").iter_rows():
        sums[row[:-1]] = sums.get(row[:-1], Decimal(0)) + row[-1]
    return sums


# What damage of a plain CSV or JSON may do unnoticed: nothing in the file covers these.
IN_PLAIN_TEXT = frozenset({
    "refused", "harmless", "wrong text", "wrong account sum", "wrong list price", "other invoice, month or currency",
    "whole invoice lost", "within rounding",
})  # fmt: skip
IN_CHECKED_CARRIERS = frozenset({"refused", "harmless"})


def sweep(cases: int, seed: int, only: Sequence[Delivery] | None = None) -> dict[str, Counter[str]]:
    """Run cases, evenly over the deliveries.

    Returns:
        How often each outcome came, by delivery.
    """
    chosen = deliveries() if only is None else only
    counts: dict[str, Counter[str]] = {}
    with Sweep() as taken:
        for delivery in chosen:
            original = taken.take(delivery)
            assert original is not None, f"{delivery.name} is refused unharmed"
            content = delivery.files[delivery.damaged]
            counts[delivery.name] = counter = Counter()
            for damage in damages(content, -(-cases // len(chosen)), f"{seed}/{delivery.name}"):
                found = outcome(original, taken.take(delivery, damage))
                counter[found] += 1
                if not is_allowed(delivery, found):
                    print(f"{delivery.name}: {found} after {damage}", file=sys.stderr)  # noqa: T201
    return counts


def is_allowed(delivery: Delivery, found: str) -> bool:
    """Tell whether an outcome keeps the promise for such a delivery."""
    if not delivery.is_claimed:
        return True
    return found in (IN_PLAIN_TEXT if delivery.is_plain_text else IN_CHECKED_CARRIERS)


def main() -> int:
    """Run the sweep from the command line and print what came of each delivery."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts = sweep(arguments.cases, arguments.seed)
    broken = measured = 0
    for delivery in deliveries():
        counter = counts[delivery.name]
        shown = ", ".join(f"{count} {name}" for name, count in sorted(counter.items()))
        note = "" if delivery.is_claimed else " (measured, not claimed)"
        print(  # noqa: T201
            f"{delivery.name:<34} {sum(counter.values()):>5} cases: {shown}{note}"
        )
        if not delivery.is_claimed:
            measured += sum(count for found, count in counter.items() if found not in IN_CHECKED_CARRIERS)
        broken += sum(count for found, count in counter.items() if not is_allowed(delivery, found))
    total = sum(sum(counter.values()) for counter in counts.values())
    print(  # noqa: T201
        f"{total} cases, seed {arguments.seed}: {broken} silently wrong where none may be;"
        f" {measured} where nothing could tell"
    )
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
