"""Views: saved in billing.toml, checked when it is read, replaced key by key by what is asked for."""

from pathlib import Path

import pytest

from billing_pipeline.charges.request import ExportInvalid, ExportRequest, View, choose_view
from billing_pipeline.configuration import WorkspaceConfig
from billing_pipeline.errors import ConfigurationInvalid
from resources.workspace import parse_config
from tests.workspaces import BILLING_TOML

ACCOUNTING = """
[views.accounting]
columns = ["Customer", "Total Sell Price"]
where = "quantity > 0"
filters = ["Type=Debit", "Customer~acme"]
sort = "Customer,Total Sell Price:desc"
formats = ["csv"]
"""


def config_with(views: str) -> WorkspaceConfig:
    return parse_config(Path("billing.toml"), (BILLING_TOML + views).encode())


def test_a_view_says_what_the_options_would() -> None:
    view = config_with(ACCOUNTING).views["accounting"]
    assert view.request() == ExportRequest.parse(
        columns="Customer,Total Sell Price",
        where="quantity > 0",
        filters=["Type=Debit", "Customer~acme"],
        sort="Customer,Total Sell Price:desc",
        formats="csv",
    )
    assert [column.header for column in view.request().columns] == ["Customer", "Total Sell Price", "Currency"]


def test_what_is_asked_for_replaces_the_views_own_key_by_key() -> None:
    view = config_with(ACCOUNTING).views["accounting"]
    changed = view.with_wishes(View(columns=("Unit",), where=None))
    assert changed == View(columns=("Unit",), where=None, filters=view.filters, sort=view.sort, formats=view.formats)


def test_without_a_name_the_default_view_holds_or_nothing_is_wished() -> None:
    default = View(columns=("Unit",))
    assert choose_view({"default": default}, None) == default
    assert choose_view({"other": default}, None).request() == ExportRequest.parse()


@pytest.mark.parametrize(
    ("views", "told"), [({}, "billing.toml has no"), ({"b": View(), "a": View()}, "there are a, b")]
)
def test_an_unknown_view_is_refused_with_those_there_are(views: dict[str, View], told: str) -> None:
    with pytest.raises(ExportInvalid, match=told):
        choose_view(views, "c")


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ('columns = ["Customer", "Margin"]', "key views.x.columns: 'Margin' is no column"),
        ('columns = ["unit", "Unit"]', "key views.x.columns: column chosen twice"),
        ('where = "upper(unit) = 1"', "key views.x.where, value 'upper(unit) = 1': filter, character 1"),
        ('filters = ["Type=Debit", "Quantity=x"]', "key views.x.filters: filter 'Quantity=x', character 10"),
        ('sort = "Unit:up"', "key views.x.sort, value 'Unit:up': 'Unit:up': write the direction"),
        ('formats = ["pdf"]', "key views.x.formats: format 'pdf' is unknown"),
        ('filter = "Type=Debit"', "key views.x.filter: is unknown"),
        ("sort = 1", "key views.x.sort, value 1: Input should be a valid string"),
    ],
)
def test_a_view_that_cannot_be_followed_is_refused_with_its_name_and_key(key: str, told: str) -> None:
    with pytest.raises(ConfigurationInvalid) as raised:
        config_with(f"[views.x]\n{key}\n")
    assert told in str(raised.value)
