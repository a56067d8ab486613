"""What an explanation is made of: formulas, row ranges, rounding, the cut-off rule."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from billing_pipeline.explaining.arithmetic import price_arithmetic
from billing_pipeline.explaining.credits import credit_steps
from billing_pipeline.explaining.knowledge import Moment, choose_row, knowledge_sentence
from billing_pipeline.explaining.lines import explain_line
from billing_pipeline.explaining.model import Explanation, VendorFile
from billing_pipeline.explaining.moments import item_moment
from billing_pipeline.explaining.notes import charge_problems
from billing_pipeline.explaining.reference_rows import row_says
from billing_pipeline.explaining.rounding import explain_rounding
from billing_pipeline.explaining.row_ranges import ranges_text, row_ranges
from billing_pipeline.explaining.structure import structure
from billing_pipeline.explaining.tiers import graduated_steps, package_steps
from billing_pipeline.invoicing import Invoice, InvoiceLine, Party

D = Decimal
PLAIN: dict[str, Any] = {
    "charge_id": "use-1",
    "price_term": "pricing_rule",
    "price_method": "markup",
    "price_percent": None,
    "price_unit_price": None,
    "adjustment_ids": None,
    "adjustment_percent": None,
    "line_number": None,
    "charge_type": "Debit",
    "quantity": None,
    "unit": None,
    "unit_cost": None,
    "unit_sell": None,
    "srp": None,
    "total_cost": D("12.345678"),
    "total_list": None,
    "total_sell": None,
    "currency": "EUR",
    "row_count": 2,
}
ITEM = {**PLAIN, "line_number": "1", "quantity": D(3), "unit": "Month", "unit_cost": D(85), "srp": D(100)}


def steps_of(facts: dict[str, Any], **changes: Any) -> tuple[str, ...]:
    """The formulas of a charge whose price they must come to."""
    arithmetic = price_arithmetic({**facts, **changes})
    assert arithmetic.problem is None
    return arithmetic.steps


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        ([31], "31"),
        ([3, 1, 2], "1-3"),
        ([*range(1, 25), 31], "1-24, 31"),
        ([2, 4, 4, 5], "2, 4-5"),
    ],
)
def test_row_numbers_are_written_as_ranges(numbers: list[int], text: str) -> None:
    assert ranges_text(row_ranges(numbers)) == text


def test_many_ranges_are_cut_and_the_rest_is_counted() -> None:
    assert ranges_text(row_ranges(range(1, 12, 2)), at_most=4) == "1, 3, 5, 7, and 2 more ranges"


def test_a_markup_on_usage_is_written_out_on_the_amount() -> None:
    steps = steps_of(PLAIN, price_percent=D(15), total_sell=D("14.1975297"))
    assert steps == ("cost 12.345678 x (1 + 15 %) = 14.1975297",)


def test_a_negative_markup_reads_as_a_discount_on_cost() -> None:
    steps = steps_of(PLAIN, price_percent=D("-10"), total_sell=D("11.1111102"))
    assert steps == ("cost 12.345678 x (1 - 10 %) = 11.1111102",)


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({"price_method": "srp", "total_sell": "20"}, ("SRP 20 = 20",)),
        ({"price_method": "percent_of_srp", "price_percent": "95", "total_sell": "19"}, ("SRP 20 x 95 % = 19",)),
        (
            {"price_method": "srp_discount", "price_percent": "12.5", "total_sell": "17.5"},
            ("SRP 20 x (1 - 12.5 %) = 17.5",),
        ),
        (
            {"price_method": "fixed", "price_unit_price": "0.3", "quantity": "7", "unit": "Hrs", "total_sell": "2.1"},
            ("fixed price 0.3 x 7 Hrs = 2.1",),
        ),
        (
            {"price_method": "volume", "price_unit_price": "0.3", "quantity": "7", "total_sell": "2.1"},
            ("fixed price 0.3 x 7 = 2.1",),
        ),
        (
            {"price_method": "volume", "price_percent": "100", "total_sell": "24.691356"},
            ("cost 12.345678 x (1 + 100 %) = 24.691356",),
        ),
        (
            {"price_term": "pass_through", "price_method": None, "total_sell": "12.345678"},
            ("passed through at cost = 12.345678",),
        ),
    ],
)
def test_every_method_on_usage_has_its_formula(changes: dict[str, str | None], steps: tuple[str, ...]) -> None:
    words = ("price_method", "price_term", "unit")
    typed = {name: value if name in words or value is None else D(value) for name, value in changes.items()}
    assert steps_of(PLAIN, total_list=D(20), **typed) == steps


def test_an_item_is_priced_by_unit_and_then_by_quantity() -> None:
    steps = steps_of(ITEM, price_percent=D(50), unit_sell=D("127.5"), total_sell=D("382.5"))
    assert steps == ("unit cost 85 x (1 + 50 %) = 127.5", "127.5 x 3 Month = 382.5")


def test_an_adjustment_comes_after_the_price_of_a_unit() -> None:
    steps = steps_of(ITEM, price_method="srp", adjustment_percent=D(-5), total_sell=D(285))
    assert steps == ("SRP per unit 100 = 100", "adjustment: 100 x (1 - 5 %) = 95", "95 x 3 Month = 285")


def test_an_adjusted_amount_says_where_it_was_rounded() -> None:
    cost, price = D("0.000000000000000001"), D("0.000000000000000001001501")
    steps = steps_of(PLAIN, total_cost=cost, price_percent=D("0.05"), adjustment_percent=D("0.1"), total_sell=price)
    assert steps[-1].endswith("rounded to 24 decimals = 0.000000000000000001001501")


def test_arithmetic_that_does_not_come_to_the_price_is_said() -> None:
    arithmetic = price_arithmetic({**PLAIN, "price_percent": D(15), "total_sell": D("14.2")})
    assert arithmetic.problem == "the arithmetic gives 14.1975297, the price is 14.2"


def test_a_charge_without_price_has_no_formula() -> None:
    assert price_arithmetic(PLAIN).steps == ()


TIERS = [
    {"from_quantity": None, "to_quantity": D(10), "unit_price": D(1)},
    {"from_quantity": D(10), "to_quantity": None, "unit_price": D("0.5")},
]


def test_a_graduated_price_is_the_sum_of_its_slices() -> None:
    found = graduated_steps(TIERS, D(4), D(14), "GB")
    assert found is not None
    assert [step.text for step in found.steps] == [
        "6 GB from 4 to 10 x 1 = 6",
        "4 GB from 10 to 14 x 0.5 = 2",
        "6 + 2 = 8",
    ]
    assert found.used == (0, 1)


def test_a_graduated_credit_takes_the_same_slices_back() -> None:
    forth, back = graduated_steps(TIERS, D(0), D(14), ""), graduated_steps(TIERS, D(14), D(0), "")
    assert forth is not None
    assert back is not None
    assert forth.steps[-1].value == -back.steps[-1].value == D(12)


def test_a_quantity_that_no_tier_holds_has_no_steps() -> None:
    assert graduated_steps(TIERS[:1], D(0), D(14), "") is None


def test_packages_begun_before_the_charge_are_not_paid_again() -> None:
    steps = package_steps({"package_size": D(10), "unit_price": D(7)}, D(4), D(21))
    assert [step.text for step in steps] == [
        "packages of 10 begun by 21: 3, of them before this charge (by 4): 1 = 2",
        "2 x 7 per package = 14",
    ]


DEBIT = {"unit_cost": D(85), "unit_sell": D(100), "total_sell": D(300), "quantity": D(3)}
CREDIT = {**ITEM, "charge_type": "Credit", "unit_cost": D(-85), "total_sell": D(-300)}


def test_a_credit_takes_the_frozen_unit_price() -> None:
    arithmetic = price_arithmetic(CREDIT, credit_steps(CREDIT, DEBIT))
    assert arithmetic.problem is None
    assert arithmetic.steps == ("frozen unit price of the credited line = 100", "-100 x 3 Month = -300")


def test_a_credit_of_half_the_cost_returns_half_the_price() -> None:
    credit = {**CREDIT, "unit_cost": D("-42.5"), "quantity": D(1), "total_sell": D(-50)}
    arithmetic = price_arithmetic(credit, credit_steps(credit, DEBIT))
    assert arithmetic.problem is None
    assert "part credited: 100 x 42.5 / 85 of the unit cost = 50" in arithmetic.steps


def test_a_credit_of_a_line_without_unit_price_returns_its_total() -> None:
    debit = {**DEBIT, "unit_sell": None}
    assert credit_steps(CREDIT, debit)[-1].value == D(-300)
    assert credit_steps({**CREDIT, "quantity": D(1)}, debit)[-1].value == D(-100)


def test_the_largest_remainder_is_rounded_up_and_says_so() -> None:
    exact, payable = [D("1.005"), D("1.004"), D("1.001")], [D("1.01"), D("1.00"), D("1.00")]
    up, down = explain_rounding(exact, payable, 0, "EUR"), explain_rounding(exact, payable, 1, "EUR")
    assert (up.share, up.rank, up.units_given) == (D("0.005"), 1, 1)
    assert up.explanation == (
        "rounded down to 1.00 EUR it leaves 0.005, the largest; all lines rounded down miss 0.01 of the document's"
        " 3.01 EUR; the largest remainder got it, so it is rounded up"
    )
    assert down.explanation.endswith("so it stays rounded down")
    assert (up.problem, down.problem) == (None, None)


def test_a_payable_amount_that_no_allocation_gives_is_said() -> None:
    found = explain_rounding([D("1.005"), D("1.004")], [D("1.00"), D("1.01")], 0, "EUR")
    assert found.problem == "the payable amount is 1.00 EUR, the largest remainders give 1.01 EUR"


def test_an_amount_that_needs_no_rounding_says_that() -> None:
    found = explain_rounding([D("1.50"), D("2.25")], [D("1.50"), D("2.25")], 1, "EUR")
    assert (found.share, found.explanation) == (0, "the exact amount is payable as it is")


def instant(day: int) -> datetime:
    return datetime(2025, 11, day, tzinfo=UTC)


MOMENT = Moment(date(2025, 10, 5), "the day of the usage", instant(10), "when the delivery arrived", instant(20))


def version(recorded: int, row: int = 1, withdrawn: int | None = None, **cells: Any) -> dict[str, Any]:
    return {
        "recorded_at": instant(recorded),
        "withdrawn_at": None if withdrawn is None else instant(withdrawn),
        "source_row": row,
        "valid_from": date(2025, 1, 1),
        "valid_to": None,
        **cells,
    }


@pytest.mark.parametrize(
    ("versions", "row", "how"),
    [
        ([version(1, 1), version(9, 2), version(11, 3)], 2, "known"),
        ([version(10, 1)], 1, "known"),
        ([version(9, 1, withdrawn=10), version(3, 2)], 2, "known"),
        ([version(9, 1, withdrawn=11)], 1, "known"),
        ([version(15, 1), version(12, 2)], 2, "fills_gap"),
        ([version(12, 1, withdrawn=19), version(15, 2)], 2, "fills_gap"),
        ([version(12, 1, withdrawn=21), version(15, 2)], 1, "fills_gap"),
        ([version(5, 1, valid_to=date(2025, 10, 5)), version(12, 2)], 2, "fills_gap"),
    ],
)
def test_what_was_known_comes_first_and_a_later_row_only_fills_a_gap(
    versions: list[dict[str, Any]], row: int, how: str
) -> None:
    chosen = choose_row(versions, MOMENT)
    assert chosen is not None
    assert (chosen.row["source_row"], chosen.how) == (row, how)


def test_no_row_holds_on_a_day_before_all_of_them() -> None:
    assert choose_row([version(1)], replace(MOMENT, term_day=date(2024, 12, 31))) is None


def test_a_gap_that_was_filled_is_told_with_both_instants() -> None:
    chosen = choose_row([version(12, withdrawn=25)], MOMENT)
    assert chosen is not None
    assert knowledge_sentence(chosen, MOMENT) == (
        "nothing was known at 2025-11-10 00:00 UTC, when the delivery arrived: recorded 2025-11-12 00:00 UTC, it fills"
        " the gap; no longer in the file since 2025-11-25 00:00 UTC"
    )


def test_an_order_in_the_own_storefront_decides_day_and_knowledge() -> None:
    item = {
        **ITEM,
        "order_channel": "reseller_storefront",
        "received_at": instant(20),
        "invoice_date": date(2025, 11, 19),
    }
    ordered = datetime(2025, 11, 8, 22, 30, tzinfo=UTC)
    common = {"ordered_at": ordered, "issued_at": instant(19)}
    own = item_moment(item, common, instant(21), ZoneInfo("Europe/Athens"))
    assert (own.term_day, own.known_at) == (date(2025, 11, 9), ordered)
    other = item_moment({**item, "order_channel": "distributor_bss"}, common, instant(21), ZoneInfo("Europe/Athens"))
    assert (other.term_day, other.known_at) == (date(2025, 11, 19), instant(20))


def vendor_file(cost: str, rows: int = 2, kept: str | None = "archive/files/ab/ab") -> VendorFile:
    return VendorFile("aws/report.csv", "ab" * 32, kept, rows, D(cost), ((1, rows),))


def test_vendor_rows_that_do_not_add_up_to_the_charge_are_said() -> None:
    assert charge_problems(PLAIN, [vendor_file("12.345678")]) == ()
    assert charge_problems(PLAIN, [vendor_file("12.345679")]) == (
        "its vendor rows add up to 12.345679, its cost is 12.345678 EUR",
    )
    assert charge_problems(PLAIN, [vendor_file("12.345678", rows=1)]) == ("it was made of 2 vendor rows, 1 are found",)
    assert charge_problems(PLAIN, []) == ("none of its vendor rows is in the lake",)
    assert charge_problems(PLAIN, [vendor_file("12.345678", kept=None)]) == (
        "the bytes of aws/report.csv are missing from the archive",
    )


@pytest.mark.parametrize(
    ("file", "cells", "text"),
    [
        (
            "pricing_rules",
            {
                "method": "markup",
                "percent": D("12.5000"),
                "scope": "vendor",
                "scope_id": "AWS",
                "valid_from": date(2024, 1, 1),
            },
            "markup 12.5 % for vendor AWS, valid from 2024-01-01 on",
        ),
        (
            "special_prices",
            {
                "method": "fixed",
                "unit_price": D("9.00"),
                "currency": "EUR",
                "customer_id": "C1",
                "product_id": "p",
                "valid_to": date(2026, 1, 1),
            },
            "fixed price 9 EUR for customer C1 and product p, valid before 2026-01-01",
        ),
        (
            "pricebook_prices",
            {
                "method": "package",
                "unit_price": D(7),
                "package_size": D(10),
                "scope": "product",
                "scope_id": "p",
                "pricebook_id": "b",
            },
            "package, 7 per package of 10 for product p",
        ),
        (
            "pricebook_prices",
            {
                "method": "volume",
                "percent": D(5),
                "from_quantity": D(10),
                "to_quantity": D(50),
                "scope": "product_type",
                "scope_id": "t",
                "pricebook_id": "b",
            },
            "volume, 5 % for a quantity from 10, below 50 for product type t",
        ),
        ("global_adjustments", {"scope": "all", "scope_id": None, "percent": D(-3)}, "discount of 3 % on everything"),
        ("products", {"sku": "s", "source": "aws", "product_id": "p", "name": "n"}, "sku s of source aws is product p"),
    ],
)
def test_a_reference_row_is_told_in_words(file: str, cells: dict[str, Any], text: str) -> None:
    assert row_says(file, cells) == text


def test_json_writes_amounts_as_text_and_row_numbers_both_ways() -> None:
    file = structure(Explanation("charge", "use-1"))
    assert json.loads(json.dumps(file)) == {
        "kind": "charge", "id": "use-1", "document": None, "lines": [], "charges": [], "billed_on": [], "problems": [],
    }  # fmt: skip


LINE = InvoiceLine(1, "Compute", "vm", "Machines", "Machines", None, None, D("3.3"), D("3.30"), "standard", "usage")
DOCUMENT = Invoice(
    "2025-10-C1-EUR", None, "draft", Party("C1", "Acme"), Party("r", "Reseller"), "2025-10", "EUR", (LINE,),
    D("3.30"), D(0), D(0), D("3.30"), None,
)  # fmt: skip
BILLED = {"a": D("1.1"), "b": D("2.2")}
ITEMS = {
    name: {**PLAIN, "charge_id": name, "customer_id": "C1", "total_sell": price, "price_term_id": "r1"}
    for name, price in BILLED.items()
}


def test_charges_that_add_up_to_their_line_leave_nothing_to_say() -> None:
    line = explain_line(DOCUMENT, 1, BILLED, ITEMS)
    assert (line.charge_count, line.charges_amount, line.row_count, line.problems) == (2, D("3.3"), 4, ())
    assert line.term_names == ("pricing_rule r1",)


@pytest.mark.parametrize(
    ("items", "problems"),
    [
        (
            {"a": ITEMS["a"]},
            (
                "1 of its 2 charges are not in the lake any more",
                "its charges add up to 1.1, its exact amount is 3.3 EUR",
            ),
        ),
        (
            {**ITEMS, "b": {**ITEMS["b"], "total_sell": D("2.3")}},
            (
                "b was billed at 2.2, the lake has it at 2.3",
                "its charges add up to 3.4, its exact amount is 3.3 EUR",
            ),
        ),
        (
            {**ITEMS, "b": {**ITEMS["b"], "customer_id": "C2"}},
            ("the lake gives charges of it to C2, not to C1",),
        ),
    ],
)
def test_what_the_lake_no_longer_says_of_a_billed_line_is_said(
    items: dict[str, dict[str, Any]], problems: tuple[str, ...]
) -> None:
    assert explain_line(DOCUMENT, 1, BILLED, items).problems == problems


def test_a_line_that_no_charge_makes_needs_none() -> None:
    support = replace(DOCUMENT, lines=(replace(LINE, line_kind="support"),))
    assert explain_line(support, 1, {}, {}).problems == ()
