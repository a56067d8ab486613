"""The sample generators: repeatable, exact, and like the vendors' own files."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import GeneratorType

import pytest

from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples import aws_columns, focus_columns
from billing_pipeline.samples.aws_cur import AwsCostAndUsageReport
from billing_pipeline.samples.aws_lifetimes import HOURS_OF_DAY, Hours, draw_hours
from billing_pipeline.samples.blocks import Block, even_split, spread
from billing_pipeline.samples.catalogue import MOST_CUSTOMERS, build_world, customer_count
from billing_pipeline.samples.csv_text import cell, java_double, plain_decimal
from billing_pipeline.samples.distributor_items import distributor_invoices
from billing_pipeline.samples.focus import FocusReport
from billing_pipeline.samples.quantities import quantity
from billing_pipeline.samples.seeds import line_ids, seeded

MONTH = BillingPeriod("2026-02")
WORLD = build_world()
Report = type[AwsCostAndUsageReport] | type[FocusReport]
REPORTS: tuple[Report, ...] = (AwsCostAndUsageReport, FocusReport)


def text_of(report: AwsCostAndUsageReport | FocusReport) -> str:
    return (report.header + b"".join(block.text for block in report.blocks())).decode()


def rows_of(report: AwsCostAndUsageReport | FocusReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(report)), strict=True))


@pytest.fixture(scope="module")
def aws_rows() -> list[dict[str, str]]:
    return rows_of(AwsCostAndUsageReport(WORLD, MONTH, 3_000, seed=7))


@pytest.fixture(scope="module")
def focus_rows() -> list[dict[str, str]]:
    return rows_of(FocusReport(WORLD, MONTH, 2_000, seed=7))


@pytest.mark.parametrize("report", REPORTS)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(report: Report) -> None:
    once, again, other = (text_of(report(WORLD, MONTH, 900, seed)) for seed in (1, 1, 2))
    assert once == again
    assert once != other


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("rows", [400, 401, 1_234, 5_000])
def test_a_report_has_exactly_the_rows_asked_for(report: Report, rows: int) -> None:
    made = report(WORLD, MONTH, rows, 1)
    blocks = list(made.blocks())
    assert sum(block.rows for block in blocks) == rows
    assert sum(block.text.count(b"\n") for block in blocks) == rows


@pytest.mark.parametrize(("report", "column"), [(REPORTS[0], "lineItem/UnblendedCost"), (REPORTS[1], "BilledCost")])
def test_the_blocks_costs_are_the_exact_sum_of_the_rows(report: Report, column: str) -> None:
    made = report(WORLD, MONTH, 1_500, 3)
    stated = sum((block.cost for block in made.blocks()), Decimal(0))
    assert stated == sum((Decimal(row[column]) for row in rows_of(made)), Decimal(0))


@pytest.mark.parametrize("report", REPORTS)
def test_rows_are_made_one_block_after_the_other(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{report.__module__}.BLOCK_ROWS", 10)
    made: Iterator[Block] = report(WORLD, MONTH, 3_000, 1).blocks()
    assert isinstance(made, GeneratorType)
    assert next(made).rows <= 10


@pytest.mark.parametrize("report", REPORTS)
def test_too_few_rows_are_refused(report: Report) -> None:
    with pytest.raises(ValueError, match="at least"):
        report(WORLD, MONTH, 10, 1)


def test_line_item_id_and_time_interval_are_a_key(aws_rows: list[dict[str, str]]) -> None:
    keys = {(row["identity/LineItemId"], row["identity/TimeInterval"]) for row in aws_rows}
    assert len(keys) == len(aws_rows)
    assert all(re.fullmatch(r"[a-z2-7]{52}", key) for key, _ in keys)


def test_usage_is_on_every_day_and_in_focus_evenly_so(
    aws_rows: list[dict[str, str]], focus_rows: list[dict[str, str]]
) -> None:
    usage = [row for row in aws_rows if row["identity/TimeInterval"].endswith(":00:00Z") and row["lineItem/ResourceId"]]
    days = {row["lineItem/UsageStartDate"][:10] for row in usage}
    assert days == {f"2026-02-{day:02}" for day in range(1, 29)}
    per_day = [sum(row["ChargePeriodStart"].startswith(day) for row in focus_rows) for day in sorted(days)[1:]]
    assert max(per_day) - min(per_day) <= 1


def test_a_resource_has_a_row_in_each_hour_of_its_life_and_only_one() -> None:
    rows = [row for row in rows_of(AwsCostAndUsageReport(WORLD, MONTH, 60_000, seed=7)) if row["lineItem/ResourceId"]]
    hours = Counter((row["lineItem/ResourceId"], row["lineItem/UsageType"]) for row in rows)
    at_once = Counter(
        (row["lineItem/ResourceId"], row["lineItem/UsageType"], row["lineItem/UsageStartDate"]) for row in rows
    )
    assert max(hours.values()) > HOURS_OF_DAY
    assert set(at_once.values()) == {1}


def test_the_hours_of_one_resource_on_one_day_are_many_rows_of_one_charge() -> None:
    chance = seeded("lives")
    lives = [draw_hours(MONTH, chance) for _ in range(2_000)]
    days = sum(bool(life.of_day(day)) for life in lives for day in range(28))
    assert 10 < sum(life.count for life in lives) / days < 15
    assert {life.bits.bit_length() > HOURS_OF_DAY * 28 for life in lives} == {False}
    assert max(life.count for life in lives) == HOURS_OF_DAY * 28


def test_a_life_that_is_cut_short_keeps_hours_of_its_own_one_after_the_other() -> None:
    hours = Hours(0b1011_0110)
    cut = {hours.at_most(2, seeded(number)).bits for number in range(50)}
    assert cut == {0b110, 0b1_0100, 0b11_0000, 0b1010_0000}
    assert hours.at_most(5, seeded(1)) is hours


def test_every_kind_of_row_that_has_bitten_somebody_is_in_the_aws_report(aws_rows: list[dict[str, str]]) -> None:
    kinds = {row["lineItem/LineItemType"] for row in aws_rows}
    assert kinds == {
        "Usage", "Tax", "Credit", "Refund", "Fee", "SppDiscount", "SavingsPlanCoveredUsage", "SavingsPlanNegation",
        "SavingsPlanRecurringFee",
    }  # fmt: skip
    assert {row["bill/BillingEntity"] for row in aws_rows} == {"AWS", "AWS Marketplace"}
    assert any(row["lineItem/UnblendedCost"] == "0.0" for row in aws_rows)
    assert any("E-" in row["lineItem/UnblendedCost"] for row in aws_rows)


def test_tax_sits_on_the_payer_account_without_usage_type_or_rate(aws_rows: list[dict[str, str]]) -> None:
    tax = [row for row in aws_rows if row["lineItem/LineItemType"] == "Tax"]
    assert tax
    assert {row["lineItem/UsageAccountId"] for row in tax} == {WORLD.payer_account_id}
    assert {row["lineItem/UsageType"] + row["lineItem/UnblendedRate"] for row in tax} == {""}


def test_a_savings_plan_negates_exactly_what_it_covers(aws_rows: list[dict[str, str]]) -> None:
    covered, negated = (
        sum(Decimal(row["lineItem/UnblendedCost"]) for row in aws_rows if row["lineItem/LineItemType"] == kind)
        for kind in ("SavingsPlanCoveredUsage", "SavingsPlanNegation")
    )
    assert covered == -negated != 0


def test_cost_is_quantity_times_rate_to_ten_decimals(aws_rows: list[dict[str, str]]) -> None:
    usage = [row for row in aws_rows if row["lineItem/UnblendedRate"] and row["bill/BillingEntity"] == "AWS"]
    assert usage
    for row in usage:
        exact = Decimal(row["lineItem/UsageAmount"]) * Decimal(row["lineItem/UnblendedRate"])
        assert abs(exact - Decimal(row["lineItem/UnblendedCost"])) <= Decimal("5E-11")


def test_the_invoice_id_is_empty_until_the_report_is_final() -> None:
    estimated = rows_of(AwsCostAndUsageReport(WORLD, MONTH, 500, 1, is_final=False))
    assert {row["bill/InvoiceId"] for row in estimated if row["bill/BillingEntity"] == "AWS"} == {""}
    assert {row["InvoiceId"] for row in rows_of(FocusReport(WORLD, MONTH, 500, 1, is_final=False))} == {""}


def test_tax_and_rounding_make_the_focus_invoice_whole_cents(focus_rows: list[dict[str, str]]) -> None:
    total = sum(Decimal(row["BilledCost"]) for row in focus_rows)
    assert total == round(total, 2)
    assert {row["ChargeCategory"] for row in focus_rows} == {"Usage", "Purchase", "Credit", "Adjustment", "Tax"}
    assert {row["ChargeClass"] for row in focus_rows} == {"", "Correction"}


def test_exactly_one_account_belongs_to_nobody(aws_rows: list[dict[str, str]]) -> None:
    known = {account.account_id for account in WORLD.aws_accounts if account.customer_id}
    used = {row["lineItem/UsageAccountId"] for row in aws_rows}
    assert used - known - {WORLD.payer_account_id} == {WORLD.aws_accounts[-1].account_id}
    assert known <= used


def test_account_ids_are_told_apart_and_some_begin_with_zero() -> None:
    ids = [account.account_id for account in build_world(MOST_CUSTOMERS).aws_accounts]
    assert len(set(ids)) == len(ids)
    assert any(account_id.startswith("0") for account_id in ids)


def test_the_aws_header_is_taken_from_a_real_report(shared_data: Path) -> None:
    real = (shared_data / "columns" / "aws_cur_real_sample_header.txt").read_text().split()
    own = [name for name in aws_columns.COLUMNS if name != "lineItem/ResourceId" and "resourceTags/" not in name]
    assert set(own) <= set(real)
    assert len(aws_columns.COLUMNS) == len(set(aws_columns.COLUMNS)) == 61


def test_the_focus_header_has_the_mandatory_columns_and_none_unknown(shared_data: Path) -> None:
    versions = json.loads((shared_data / "columns" / "focus_columns_by_version.json").read_text())
    declared = {column["name"]: column["level"] for column in versions["v1.2"]}
    assert set(focus_columns.COLUMNS) <= set(declared)
    assert {name for name, level in declared.items() if level == "Mandatory"} <= set(focus_columns.COLUMNS)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0", "0.0"), ("0.0000000000", "0.0"), ("1", "1.0"), ("0.0416", "0.0416"), ("0.001", "0.001"),
        ("0.0000000885", "8.85E-8"), ("0.000001", "1.0E-6"), ("12000000", "1.2E7"), ("9999999", "9999999.0"),
        ("-3.4186000000", "-3.4186"), ("-0.00000018", "-1.8E-7"),
    ],
)  # fmt: skip
def test_aws_amounts_are_written_as_java_writes_doubles(number: str, text: str) -> None:
    assert java_double(Decimal(number)) == text
    assert Decimal(text) == Decimal(number)


def test_plain_decimals_have_neither_exponent_nor_trailing_zeros() -> None:
    texts = [plain_decimal(Decimal(number)) for number in ("0E-9", "12.50", "1E-9", "1E+3", "-0.10")]
    assert texts == ["0", "12.5", "0.000000001", "1000", "-0.1"]


@pytest.mark.parametrize("value", ["plain", "a,b", 'say "hi"', "two\nlines", "", "Ελένη"])
def test_a_cell_survives_a_csv_reader(value: str) -> None:
    assert next(csv.reader(io.StringIO(cell(value) + ",x", newline=""), strict=True)) == [value, "x"]


def test_an_unknown_kind_of_quantity_is_an_error() -> None:
    with pytest.raises(ValueError, match="fortnights"):
        quantity("fortnights", seeded(1))


def test_line_ids_differ_and_repeat_with_the_seed() -> None:
    text = line_ids(seeded("a"), 1_000)
    assert len({text[start : start + 52] for start in range(0, 52_000, 52)}) == 1_000
    assert text == line_ids(seeded("a"), 1_000) != line_ids(seeded("b"), 1_000)


def test_rows_are_split_without_losing_one() -> None:
    assert even_split(10, 4) == [2, 3, 2, 3]
    assert spread(100_001, 50_000) == [33_333, 33_334, 33_334]
    assert spread(0, 50_000) == []


def test_larger_samples_have_more_customers_within_limits() -> None:
    assert [customer_count(rows) for rows in (500, 20_000, 1_000_000, 10_000_000)] == [24, 24, 400, 1_200]
    with pytest.raises(ValueError, match="at least 24"):
        build_world(3)


def test_a_distributor_invoices_in_every_way_in_one_month() -> None:
    invoices = distributor_invoices(WORLD, MONTH, 1)
    assert {invoice.status for invoice in invoices} == {"issued", "pending", "proforma"}
    assert {invoice.order_channel for invoice in invoices} == {
        "reseller_storefront", "distributor_storefront", "distributor_bss",
    }  # fmt: skip
    assert {invoice.origin for invoice in invoices} == {"billing_service", "manual", "renewal", "api"}
    assert any(item.installment for invoice in invoices for item in invoice.items)
    assert {invoice.invoice_date.month for invoice in invoices} == {2}
    assert len({invoice.invoice_number for invoice in invoices}) == len(invoices)


def test_the_credit_note_names_an_earlier_line_of_the_same_product_and_customer() -> None:
    invoices = {invoice.invoice_number: invoice for invoice in distributor_invoices(WORLD, MONTH, 1)}
    (credit_note,) = (invoice for invoice in invoices.values() if invoice.kind == "credit")
    credited = invoices[credit_note.credits_invoice_number]
    (item,) = credit_note.items
    (line,) = (line for line in credited.items if line.line_number == item.credits_line_number)
    assert credited.invoice_date < credit_note.invoice_date
    assert (line.customer, line.licence, line.unit_cost) == (item.customer, item.licence, item.unit_cost)
    assert item.quantity < line.quantity


def test_invoice_numbers_of_two_months_never_meet() -> None:
    months = [BillingPeriod(f"{year}-{month:02}") for year in (2025, 2026) for month in range(1, 13)]
    numbers = [invoice.invoice_number for month in months for invoice in distributor_invoices(WORLD, month, 1)]
    assert len(set(numbers)) == len(numbers)
