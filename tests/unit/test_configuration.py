"""What billing.toml may say."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from billing_pipeline.configuration import WorkspaceConfig

ORGANISATION = {
    "id": "acme",
    "name": "Acme",
    "time_zone": "Europe/Athens",
    "currency": "EUR",
    "country": "GR",
    "charges_start_on": "2020-01-01",
    "standard_edition_since": "2020-01-01",
}
SOURCE = {"id": "aws", "format": "aws_cur", "vendor": "AWS"}


def config(source: dict[str, Any] | None = None, **organisation: object) -> WorkspaceConfig:
    sources = [] if source is None else [SOURCE | source]
    return WorkspaceConfig.model_validate({"organisation": ORGANISATION | organisation, "sources": sources})


def test_defaults_are_those_of_the_documentation() -> None:
    source = config({}).source("aws")
    assert source.landing_folder == "landing/aws"
    assert source.tolerance == 0
    assert source.settles_after_business_days == (5, 15)
    assert config().ledger.url == "sqlite:///ledger.db"
    assert config().organisation.payment_terms_days == 30


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"id": "a/b"}, "String should match pattern"),
        ({"tolerance": 0.01}, "write the tolerance as text"),
        ({"settles_after_business_days": [15, 5]}, "the first number must not exceed the second"),
        ({"currency": "EURO"}, "'EURO' is no ISO 4217 currency code"),
        ({"vendor": ""}, "at least 1 character"),
        ({"folders": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_a_source_that_cannot_be_used_is_refused(source: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        config(source)


@pytest.mark.parametrize(
    ("organisation", "expected"),
    [
        ({"time_zone": "Athens"}, "is no IANA time zone"),
        ({"currency": "XAU"}, "has no minor unit"),
        ({"country": "Greece"}, "String should match pattern"),
        ({"payment_terms_days": -1}, "greater than or equal to 0"),
    ],
)
def test_an_organisation_that_cannot_be_used_is_refused(organisation: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        config(**organisation)


DISTRIBUTOR = {"id": "dist", "format": "distributor_invoice", "vendor": "Distributor"}


def through(distributor: str, feed: dict[str, Any] = SOURCE) -> WorkspaceConfig:
    sources = [feed | {"invoiced_through": distributor}, DISTRIBUTOR]
    return WorkspaceConfig.model_validate({"organisation": ORGANISATION, "sources": sources})


def test_a_feed_may_be_invoiced_through_a_distributor_of_the_same_workspace() -> None:
    assert through("dist").invoiced_through == {"aws": "dist"}
    assert config({}).invoiced_through == {}


@pytest.mark.parametrize(
    ("feed", "distributor", "expected"),
    [
        (SOURCE, "dits", "source aws: invoiced_through = 'dits' names no source; there are aws, dist"),
        (SOURCE, "aws", "source aws: invoiced_through = 'aws' must name a source of format distributor_invoice"),
        (DISTRIBUTOR | {"id": "other"}, "dist", "source other: .*only a feed can be invoiced through one"),
    ],
)
def test_a_feed_is_invoiced_through_a_distributor_or_refused(
    feed: dict[str, Any], distributor: str, expected: str
) -> None:
    with pytest.raises(ValidationError, match=expected):
        through(distributor, feed)


def test_an_exact_tolerance_stays_exact() -> None:
    assert config({"tolerance": "0.01"}).source("aws").tolerance == Decimal("0.01")


def test_a_source_is_found_by_its_id_only() -> None:
    with pytest.raises(KeyError, match="azure"):
        config({}).source("azure")
