"""The columns of the FOCUS export against the standard's list, the validator's rules, and their documentation."""

import json
from pathlib import Path

import pytest

from billing_pipeline.schemas.focus_export import FOCUS_EXPORT, SERVICE_CATEGORIES, focus_name
from tests.focus_validator import ALLOWED, NEVER_EMPTY

ROOT = Path(__file__).parents[2]
LISTED = ROOT.parent / "shared" / "data" / "columns" / "focus_columns_by_version.json"
NAMES = {focus_name(column.name): column for column in FOCUS_EXPORT.columns}


@pytest.mark.skipif(not LISTED.exists(), reason="the standard's list of columns is not beside the project")
def test_every_mandatory_column_of_the_standard_is_there_and_every_other_is_its_or_marked() -> None:
    columns = {column["name"]: column for column in json.loads(LISTED.read_text())["v1.2"]}
    mandatory = {name for name, column in columns.items() if column["level"] == "Mandatory"}
    assert len(mandatory) == 21
    assert mandatory <= NAMES.keys()
    assert {name for name in NAMES if not name.startswith("x_")} <= columns.keys()
    for name, column in columns.items():
        if name in NAMES and column["nulls"] == "False":
            assert not NAMES[name].nullable, name


def test_names_are_written_as_the_standard_writes_them() -> None:
    assert focus_name("billed_cost") == "BilledCost"
    assert focus_name("sku_price_id") == "SkuPriceId"
    assert focus_name("x_charge_id") == "x_ChargeId"


def test_the_validator_and_the_contract_mean_the_same_columns() -> None:
    assert {name for name in NEVER_EMPTY if NAMES[name].nullable} == set()
    assert set(SERVICE_CATEGORIES) == ALLOWED["ServiceCategory"]


def test_every_column_is_documented_with_its_meaning() -> None:
    text = (ROOT / "docs" / "focus-export.md").read_text(encoding="utf-8")
    assert [name for name, column in NAMES.items() if f"| `{name}` | {column.meaning} |" not in text] == []
