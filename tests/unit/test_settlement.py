"""When a vendor usually settles, and to which month a file counts that was not read."""

from datetime import date

import polars as pl
import pytest

from billing_pipeline.configuration import Organisation, Source, WorkspaceConfig
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.settlement import months_between, period_of_file, settlement_days
from resources.settlement import source_months

AWS = Source(id="aws", format="aws_cur", vendor="AWS")
DIST = Source(id="dist", format="distributor_invoice", vendor="Distributor", settles_after_business_days=(0, 5))


def contoso(*sources: Source, country: str = "GR") -> WorkspaceConfig:
    organisation = Organisation(
        id="contoso",
        name="Contoso",
        time_zone="Europe/Athens",
        currency="EUR",
        country=country,
        charges_start_on=date(2026, 1, 1),
        standard_edition_since=date(2026, 1, 1),
    )
    return WorkspaceConfig(organisation=organisation, sources=sources)


@pytest.mark.parametrize(
    ("month", "country", "earliest", "latest"),
    [
        ("2026-10", "DE", date(2026, 11, 6), date(2026, 11, 20)),
        ("2026-10", "GR", date(2026, 11, 6), date(2026, 11, 20)),
        # 6 January, Epiphany, is a Greek holiday; New Year's Day is one in both.
        ("2026-12", "DE", date(2027, 1, 8), date(2027, 1, 22)),
        ("2026-12", "GR", date(2027, 1, 11), date(2027, 1, 25)),
        # Germany rests on Ascension Day, 6 May, and Whit Monday, 17 May; Greece on Easter Monday, 3 May, and on 4 May
        # for the 1 May that is a Saturday.
        ("2027-04", "DE", date(2027, 5, 10), date(2027, 5, 25)),
        ("2027-04", "GR", date(2027, 5, 11), date(2027, 5, 25)),
    ],
)
def test_the_usual_days_are_business_days_of_the_country_after_the_months_last_day(
    month: str, country: str, earliest: date, latest: date
) -> None:
    usual = settlement_days(AWS, BillingPeriod(month), country)
    assert (usual.earliest, usual.latest) == (earliest, latest)


def test_no_month_settles_before_it_has_ended() -> None:
    at_once = Source(id="a", format="focus", vendor="A", settles_after_business_days=(0, 1))
    usual = settlement_days(at_once, BillingPeriod("2026-05"), "GR")
    # 1 June 2026 is Whit Monday of the Orthodox calendar.
    assert (usual.earliest, usual.latest) == (date(2026, 6, 1), date(2026, 6, 2))


@pytest.mark.parametrize(
    ("name", "month"),
    [
        ("20260901-20261001/A/c-1.csv.gz", "2026-09"),
        ("export/20260901-20260930/x/part_0_0001.csv", "2026-09"),
        ("data/BILLING_PERIOD=2026-08/c-00001.csv.gz", "2026-08"),
        ("received=2026-11-05/2026-07/part.json.gz", "2026-07"),
        ("2026-13/a.csv", "2026-10"),
        ("received=2026-11-05/a.csv", "2026-10"),
        ("202610.csv", "2026-10"),
    ],
)
def test_the_innermost_folder_that_names_a_month_tells_the_month_of_a_file(name: str, month: str) -> None:
    assert period_of_file(name, date(2026, 11, 5), AWS, "GR").text == month


def test_until_the_month_before_usually_is_settled_a_file_may_belong_to_it() -> None:
    assert period_of_file("a.csv", date(2026, 11, 20), AWS, "GR").text == "2026-10"
    assert period_of_file("a.csv", date(2026, 11, 21), AWS, "GR").text == "2026-11"


def test_months_run_from_the_first_to_the_last() -> None:
    months = months_between(BillingPeriod("2025-11"), BillingPeriod("2026-02"))
    assert [str(month) for month in months] == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert months_between(BillingPeriod("2026-02"), BillingPeriod("2026-01")) == []


def test_every_source_has_every_month_from_the_first_delivery_to_the_running_one() -> None:
    delivered = {("aws", BillingPeriod("2026-09")), ("gone", BillingPeriod("2026-10"))}
    months = source_months(contoso(AWS, DIST), delivered, set(), date(2026, 11, 3))
    assert months.group_by("source", maintain_order=True).agg("billing_period").rows() == [
        ("aws", ["2026-09", "2026-10", "2026-11"]),
        ("dist", ["2026-09", "2026-10", "2026-11"]),
        ("gone", ["2026-10"]),
    ]
    assert months.filter(pl.col("has_accounts"))["source"].unique().to_list() == ["aws"]


def test_a_workspace_without_deliveries_has_the_running_month() -> None:
    months = source_months(contoso(AWS), set(), set(), date(2026, 11, 3))
    assert months.select("source", "billing_period").rows() == [("aws", "2026-11")]


def test_a_slip_in_the_month_of_a_total_adds_that_month_alone() -> None:
    months = source_months(contoso(AWS, DIST), set(), {("aws", BillingPeriod("1999-10"))}, date(2026, 11, 3))
    assert months.select("source", "billing_period").rows() == [
        ("aws", "1999-10"), ("aws", "2026-11"), ("dist", "2026-11")
    ]  # fmt: skip
