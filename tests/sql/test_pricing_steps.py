"""All of `sql/pricing/` together: what holds for every step."""

import pytest

from billing_pipeline.queries import sql_folder
from tests.sql.pricing_steps import every_step, step_types

MADE_OF = {
    "attributed_charges": "attributed",
    "sums_in_order": "usage_sums",
    "priced_line_items": "priced_line_items_of_session",
}
FILES = sorted(file.stem for file in (sql_folder() / "pricing").glob("*.sql"))


@pytest.mark.parametrize("file", FILES)
def test_every_file_of_pricing_is_a_step_of_it_and_has_no_floating_point(file: str) -> None:
    types = step_types(MADE_OF.get(file, file))
    assert types
    assert {name: kind for name, kind in types.items() if kind in ("DOUBLE", "FLOAT")} == {}


def test_charges_and_their_prices_stack_without_losing_decimals() -> None:
    steps = every_step()
    assert steps["usage_charges"] == steps["item_charges"] == steps["dated_charges"]
    for name in set(steps["priced_debits"]) & set(steps["priced_credits"]):
        assert steps["priced_debits"][name] == steps["priced_credits"][name], name
