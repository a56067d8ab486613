"""Invoices of the sample distributor in one month: who bought what, through which channel, and what was credited.

Amounts are exact decimals in EUR, positive also on credit notes. What does not belong here: how an
invoice is written (`distributor_invoice`).
"""

import calendar
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.catalogue import Customer, World
from billing_pipeline.samples.csv_text import EXACT
from billing_pipeline.samples.licences import LICENCES, Licence
from billing_pipeline.samples.seeds import seeded


@dataclass(frozen=True)
class Item:
    """One line of a distributor's invoice; fields as in the interchange format.

    Attributes:
        quantity: in the licence's unit.
        unit_cost: EUR for one unit.
        installment: number and count; None when the item is paid at once.
        ordered_before_days: days between order and invoice.
        credits_line_number: line of the credited invoice.
    """

    line_number: str
    customer: Customer
    licence: Licence
    description: str
    start_date: date
    end_date: date
    quantity: Decimal
    unit_cost: Decimal
    order_id: str
    ordered_before_days: int = 0
    installment: tuple[int, int] | None = None
    credits_line_number: str = ""


@dataclass(frozen=True)
class DistributorInvoice:
    """One invoice or credit note of the distributor."""

    invoice_number: str
    invoice_date: date
    kind: str
    status: str
    order_channel: str
    origin: str
    items: tuple[Item, ...] = field(repr=False)
    credits_invoice_number: str = ""

    @property
    def net_total(self) -> Decimal:
        """Exact sum of quantity x unit cost, EUR, positive also for a credit note."""
        total = Decimal(0)
        for item in self.items:
            total = EXACT.add(total, EXACT.multiply(item.quantity, item.unit_cost))
        return total


# day, status, order channel, origin, and items: customer (index), product, quantity, what is special about it
_PLAN = (
    (3, "issued", "reseller_storefront", "billing_service", (
        (0, "CFQ7TTC0LCHC-0002", 42, ""), (0, "CFQ7TTC0HVZG-0001", 42, ""), (1, "CFQ7TTC0LDPB-0001", 130, ""),
        (2, "CFQ7TTC0LCHC-0002", 75, ""), (2, "CFQ7TTC0J203-0004", 12, ""), (3, "CFQ7TTC0LDPB-0001", 9, ""),
        (5, "CFQ7TTC0LFLX-0001", 250, ""),
    )),
    (5, "issued", "distributor_storefront", "api", (
        (4, "CFQ7TTC0LCHC-0002Y", 18, ""), (6, "CFQ7TTC0LCHC-0002Y", 6, "installment"),
        (7, "CFQ7TTC0LFLZ-0002", 20, ""), (8, "CFQ7TTC0MM8R-0001", 15, ""), (8, "DOM-EU", 3, ""),
    )),
    (9, "issued", "distributor_bss", "renewal", (
        (9, "ACR-CYB-WKS-ADV", 60, ""), (10, "ACR-CYB-WKS-ADV", 11, ""), (11, "CFQ7TTC0LFLZ-0002", 35, ""),
        (12, "CFQ7TTC0MM8R-0001", 8, ""),
    )),
    (9, "issued", "reseller_storefront", "billing_service", (
        (13, "CFQ7TTC0LCHC-0002", 28, "prorated"), (14, "CFQ7TTC0LDPB-0001", 64, "prorated"),
        (0, "CFQ7TTC0J203-0004", 5, "prorated"),
    )),
    (12, "issued", "distributor_bss", "manual", (
        (15, "DOM-EU", 2, ""), (16, "ACR-CYB-WKS-ADV", 4, ""), (17, "CFQ7TTC0LCHC-0002", 22, ""),
        (18, "CFQ7TTC0LFLX-0001", 31, ""),
    )),
    (15, "issued", "distributor_storefront", "api", (
        (19, "CFQ7TTC0LCHC-0002", 17, ""), (20, "CFQ7TTC0HVZG-0001", 17, ""),
        (21, "CFQ7TTC0LFLZ-0002", 12, "installment"), (22, "CFQ7TTC0MM8R-0001", 40, ""),
        (23, "CFQ7TTC0LDPB-0001", 55, ""),
    )),
    (18, "pending", "reseller_storefront", "billing_service", (
        (5, "CFQ7TTC0MM8R-0001", 25, ""), (6, "CFQ7TTC0HVZG-0001", 6, ""),
    )),
    (20, "proforma", "distributor_storefront", "manual", ((7, "ACR-CYB-WKS-ADV", 90, ""),)),
    (22, "issued", "distributor_bss", "billing_service", (
        (1, "DZH318Z0BPS6-0001", 0, "metered"), (4, "DZH318Z0BPS6-0001", 0, "metered"),
        (9, "DZH318Z0BPS6-0001", 0, "metered"), (11, "ACR-STO-GB", 0, "metered"), (16, "ACR-STO-GB", 0, "metered"),
    )),
)  # fmt: skip
_CREDIT_DAY = 25
# Position in the plan and index of the item that is credited in part.
_CREDITED_INVOICE, _CREDITED_ITEM, _CREDITED_QUANTITY = 0, 2, Decimal(10)


def distributor_invoices(world: World, month: BillingPeriod, seed: int) -> list[DistributorInvoice]:
    """Return the month's invoices by day: 9 debit invoices, one of them pending, one proforma, and a credit note.

    Args:
        seed: decides metered quantities and order numbers.
    """
    chance = seeded("distributor", seed, month)
    first_number = 10_000 + int(month.text[:4]) % 100 * 1_000 + int(month.text[5:]) * 20
    invoices = []
    for position, (day, status, channel, origin, plan) in enumerate(_PLAN):
        invoice_date = month.first_day + timedelta(days=day - 1)
        items = tuple(
            _item(
                str(index + 1), world.customers[customer], LICENCES[product_id], quantity, special, invoice_date,
                f"SO-{chance.randrange(100_000, 999_999)}", Decimal(chance.randrange(10_000, 500_000)).scaleb(-1),
            )
            for index, (customer, product_id, quantity, special) in enumerate(plan)
        )  # fmt: skip
        number = f"ACD-{month.text[:4]}-{first_number + position}"
        invoices.append(DistributorInvoice(number, invoice_date, "debit", status, channel, origin, items))
    return [*invoices, _credit_note(invoices[_CREDITED_INVOICE], month, first_number + len(_PLAN))]


def _item(
    line_number: str, customer: Customer, licence: Licence, quantity: int, special: str, invoice_date: date,
    order_id: str, metered: Decimal,
) -> Item:  # fmt: skip
    """Return one item; `special` is empty, `prorated`, `metered` (then `metered` is the quantity) or `installment`."""
    first_day = invoice_date.replace(day=1)
    start, end = first_day, _add_months(first_day, 12 if licence.unit == "Year" else 1)
    amount, cost, description, installment = Decimal(quantity), licence.unit_cost, licence.name, None
    if special == "prorated":
        start = invoice_date - timedelta(days=2)
        cost = _share(licence.unit_cost, (end - start).days, (end - first_day).days)
        description = f"{licence.name} - added seats from {start:%Y-%m-%d}"
    elif special == "metered":
        start, end, amount = _add_months(start, -1), start, metered
        description = f"{licence.name} {start:%Y-%m}"
    elif special == "installment":
        installment = (4, 12)
        start, end = _add_months(start, -3), _add_months(start, 9)
        cost = _share(licence.unit_cost, 1, 12)
    return Item(
        line_number, customer, licence, description, start, end, amount, cost, order_id, 2 + int(line_number) % 3,
        installment,
    )  # fmt: skip


def _share(price: Decimal, part: int, whole: int) -> Decimal:
    """Return part/whole of a price, rounded to the nine decimals that the interchange format allows."""
    return EXACT.divide(EXACT.multiply(price, Decimal(part)), Decimal(whole)).quantize(Decimal("1E-9"), ROUND_HALF_UP)


def _credit_note(credited: DistributorInvoice, month: BillingPeriod, number: int) -> DistributorInvoice:
    line = credited.items[_CREDITED_ITEM]
    item = Item(
        "1", line.customer, line.licence, f"{line.description} - seats returned", line.start_date, line.end_date,
        _CREDITED_QUANTITY, line.unit_cost, line.order_id,
        line.ordered_before_days + _CREDIT_DAY - credited.invoice_date.day,
        credits_line_number=line.line_number,
    )  # fmt: skip
    return DistributorInvoice(
        f"ACD-{month.text[:4]}-{number}C", month.first_day + timedelta(days=_CREDIT_DAY - 1), "credit", "issued",
        credited.order_channel, "manual", (item,), credited.invoice_number,
    )  # fmt: skip


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
