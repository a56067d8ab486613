"""A detailed billing report with resources and tags, and the totals at its end.

The charges are those of the Cost and Usage Report's sample, as this report writes them. Costs have eight decimals; a
Rounding row per invoice leads from them to whole cents, as on the invoice. What does not belong here: the zip
(`resources.sample_files`).
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.aws_columns import COLUMNS as CUR_COLUMNS
from billing_pipeline.samples.aws_cur import AwsCostAndUsageReport
from billing_pipeline.samples.blocks import Block
from billing_pipeline.samples.catalogue import World
from billing_pipeline.samples.csv_text import EXACT, piece, times
from billing_pipeline.samples.seeds import digits

COLUMNS = (
    "InvoiceID",
    "PayerAccountId",
    "LinkedAccountId",
    "RecordType",
    "RecordId",
    "ProductName",
    "RateId",
    "SubscriptionId",
    "PricingPlanId",
    "UsageType",
    "Operation",
    "AvailabilityZone",
    "ReservedInstance",
    "ItemDescription",
    "UsageStartDate",
    "UsageEndDate",
    "UsageQuantity",
    "BlendedRate",
    "BlendedCost",
    "UnBlendedRate",
    "UnBlendedCost",
    "ResourceId",
    "user:Environment",
    "user:Project",
)
_COPIED = {
    "LinkedAccountId": "lineItem/UsageAccountId",
    "ProductName": "product/ProductName",
    "RateId": "pricing/RateId",
    "SubscriptionId": "reservation/SubscriptionId",
    "UsageType": "lineItem/UsageType",
    "Operation": "lineItem/Operation",
    "AvailabilityZone": "lineItem/AvailabilityZone",
    "ItemDescription": "lineItem/LineItemDescription",
    "ResourceId": "lineItem/ResourceId",
    "user:Environment": "resourceTags/user:Environment",
    "user:Project": "resourceTags/user:Project",
}
_DECIMALS = 8
_CENT = Decimal("0.01")


def file_name(world: World, month: BillingPeriod) -> str:
    """Return the name AWS gives the CSV; the zip has the same with `.zip` behind it."""
    return f"{world.payer_account_id}-aws-billing-detailed-line-items-with-resources-and-tags-{month}.csv"


class AwsDetailedBillingReport:
    """One month's report as blocks of CSV lines, made one after the other in constant memory.

    Args:
        world, month, seed: as for the Cost and Usage Report.
        rows: charges; the totals come on top.
        is_final: whether there are invoice numbers; until then every row says `Estimated`.

    Raises:
        ValueError: fewer rows than the report's fixed rows need.
    """

    def __init__(self, world: World, month: BillingPeriod, rows: int, seed: int, is_final: bool = True) -> None:
        self.header = ",".join(COLUMNS).encode() + b"\n"
        self._charges = AwsCostAndUsageReport(world, month, rows, seed, is_final)
        self._payer, self._month, self._is_final = world.payer_account_id, month, is_final
        self._by_invoice: dict[str, Decimal] = {}
        self._by_account: dict[str, Decimal] = {}

    def blocks(self) -> Iterator[Block]:
        """Yield the charges, then one block of totals; the blocks' costs are the charges' total, exact."""
        self._by_invoice, self._by_account = defaultdict(Decimal), defaultdict(Decimal)
        first_id = int(digits(f"record/{self._payer}/{self._month}", 12)) * 10**14
        count = 0
        for block in self._charges.blocks():
            reader = csv.DictReader(io.StringIO(block.text.decode(), newline=""), CUR_COLUMNS)
            cost, lines = Decimal(0), []
            for row in reader:
                count += 1
                charge = self._charge(row, f"{first_id + count:026}")
                cost = EXACT.add(cost, self._note(charge))
                lines.append(piece(COLUMNS, charge) + b"\n")
            yield Block(b"".join(lines), block.rows, cost)
        totals = self._totals()
        yield Block(b"".join(piece(COLUMNS, row) + b"\n" for row in totals), len(totals), Decimal(0))

    def _charge(self, cur: dict[str, str], record_id: str) -> dict[str, str]:
        cost = _fixed(times(Decimal(cur["lineItem/UnblendedCost"]), Decimal(1), _DECIMALS))
        quantity = times(Decimal(cur["lineItem/UsageAmount"]), Decimal(1), _DECIMALS)
        is_tax = cur["lineItem/LineItemType"] == "Tax"
        return {
            **{own: cur[name] for own, name in _COPIED.items()},
            "InvoiceID": cur["bill/InvoiceId"] if self._is_final else "Estimated",
            "PayerAccountId": self._payer,
            "RecordType": "LineItem",
            "RecordId": record_id,
            "ReservedInstance": "N",
            "UsageStartDate": "" if is_tax else _plain_instant(cur["lineItem/UsageStartDate"]),
            "UsageEndDate": "" if is_tax else _plain_instant(cur["lineItem/UsageEndDate"]),
            "UsageQuantity": "" if is_tax else _fixed(quantity),
            "BlendedRate": cur["lineItem/BlendedRate"],
            "BlendedCost": cost,
            "UnBlendedRate": cur["lineItem/UnblendedRate"],
            "UnBlendedCost": cost,
        }

    def _note(self, charge: dict[str, str]) -> Decimal:
        cost = Decimal(charge["UnBlendedCost"])
        for sums, key in ((self._by_invoice, charge["InvoiceID"]), (self._by_account, charge["LinkedAccountId"])):
            sums[key] = EXACT.add(sums[key], cost)
        return cost

    def _totals(self) -> list[dict[str, str]]:
        rows = []
        statement = Decimal(0)
        for account, cost in sorted(self._by_account.items()):
            text = f"Total for linked account# {account}"
            rows.append(self._control("AccountTotal", cost, text, LinkedAccountId=account))
        for invoice, cost in sorted(self._by_invoice.items()):
            total = cost.quantize(_CENT, ROUND_HALF_UP, EXACT)
            statement = EXACT.add(statement, total)
            if total != cost:
                text = "Rounding of the charges to the invoice"
                rows.append(self._control("Rounding", EXACT.subtract(total, cost), text, InvoiceID=invoice))
            text = f"Total amount for invoice {invoice}"
            rows.append(self._control("InvoiceTotal", total, text, InvoiceID=invoice))
        text = f"Total statement amount for period {self._month}"
        return [*rows, self._control("StatementTotal", statement, text)]

    def _control(self, record_type: str, cost: Decimal, description: str, **cells: str) -> dict[str, str]:
        text = _fixed(cost)
        fixed = {"PayerAccountId": self._payer, "RecordType": record_type, "ItemDescription": description}
        return {**fixed, "BlendedCost": text, "UnBlendedCost": text, **cells}


def _fixed(number: Decimal) -> str:
    return f"{number:.{_DECIMALS}f}"


def _plain_instant(text: str) -> str:
    return text.replace("T", " ").removesuffix(".000Z")
