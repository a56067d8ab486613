"""Damage deliveries byte by byte and count what intake makes of each: `make test-corruption`.

Every case changes one byte of one file, or cuts the file short, and takes the delivery as a run does. It ends refused
or waiting; or taken with exactly the original's rows (the byte did not matter); or silently wrong.

The promise: nothing is silently wrong where a checksum covers every byte: in gzip, zip, xlsx, Parquet with page CRC,
and anything with a checksum file beside it. The same files without one are measured apart: what their totals cover
(the amounts of distributor invoices) is never wrong; what nothing covers is reported as it is.
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


NOT_WRONG = frozenset({"refused", "harmless"})
# What damage may do unnoticed where only the net totals of invoices cover anything: texts, ids (so the sum of a
# customer may move, to an id that nobody knows), list prices, less than half a minor unit, an invoice cut off whole.
BESIDE_TOTALS = NOT_WRONG | {
    "wrong text", "wrong account sum", "wrong list price", "other invoice, month or currency", "whole invoice lost",
    "within rounding",
}  # fmt: skip


def sweep(cases: int, seed: int, chosen: Sequence[Delivery]) -> dict[str, Counter[str]]:
    """Run cases, evenly over the deliveries.

    Returns:
        How often each outcome came, by delivery.
    """
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
    if delivery.protection == "nothing":
        return True
    return found in (BESIDE_TOTALS if delivery.protection == "totals" else NOT_WRONG)


def main() -> int:
    """Run the sweep from the command line and print what came of each delivery."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    covered = [delivery for delivery in deliveries() if delivery.protection == "checksum"]
    others = [delivery for delivery in deliveries() if delivery.protection != "checksum"]
    # The share of cases that a delivery without a checksum gets is as large as that of one with.
    counts = sweep(arguments.cases, arguments.seed, covered)
    counts |= sweep(arguments.cases * len(others) // len(covered), arguments.seed, others)
    for delivery in (*covered, *others):
        shown = ", ".join(f"{count} {name}" for name, count in sorted(counts[delivery.name].items()))
        note = "" if delivery.protection == "checksum" else " (measured)"
        say(f"{delivery.name:<46} {sum(counts[delivery.name].values()):>5} cases: {shown}{note}")
    broken = sum(count for one in covered for found, count in counts[one.name].items() if found not in NOT_WRONG)
    total = sum(sum(counts[one.name].values()) for one in covered)
    say(f"{total} cases with a checksum, seed {arguments.seed}: {broken} silently wrong")
    for protection in ("totals", "nothing"):
        chosen = [one for one in others if one.protection == protection]
        wrong = sum((counts[one.name] for one in chosen), Counter())
        total = wrong.total()
        for found in NOT_WRONG:
            del wrong[found]
        worst = sum(count for name, count in wrong.items() if name not in BESIDE_TOTALS)
        kind = "only a total" if protection == "totals" else "nothing"
        say(
            f"{total} cases measured where {kind} covers the file: {wrong.total()} unnoticed, {worst} of them an amount"
        )
        broken += worst if protection == "totals" else 0
    return 1 if broken else 0


def say(line: str) -> None:
    """Print a line of the report."""
    print(line)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
