"""Every golden case, from vendor file and reference files to the cells of the workbook and the warehouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance

from tests.golden.golden_case import (
    GOLDEN,
    WORKBOOK,
    Moment,
    case_folders,
    columns_of,
    contradictions,
    differences_in_cents,
    expected_lines,
    moments,
    new_workspace,
    run_moment,
    uncounted_rows,
    warehouse_lines,
    workbook_lines,
    workbook_numbers,
)
from tests.workspaces import files_below

WORKED_CASES = {"01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13"}


@pytest.fixture(scope="module")
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as opened:
        yield opened


def test_every_worked_case_of_the_pricing_rules_has_a_folder() -> None:
    assert {name[:2] for name in case_folders()} >= WORKED_CASES


@pytest.mark.parametrize("case", case_folders())
def test_a_case_reads_in_workbook_and_warehouse_as_it_was_worked_out_by_hand(
    case: str, tmp_path: Path, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = new_workspace(tmp_path, case)
    story = moments(case)
    assert story[-1].expected
    for moment in story:
        run_moment(workspace, moment, instance, monkeypatch)
        for expected in moment.expected:
            columns = columns_of(expected)
            if expected.stem == WORKBOOK:
                numbers, found = workbook_numbers(columns), workbook_lines(workspace, columns)
                wanted = expected_lines(expected, numbers)
            else:
                numbers, found = warehouse_lines(workspace, expected.stem, columns)
                wanted = sorted(expected_lines(expected, numbers))
            assert found == wanted, f"{expected.relative_to(GOLDEN)}"
        assert is_quarantine_expected(moment) or warehouse_lines(workspace, "quarantine", ["reason"])[1] == []
        assert differences_in_cents(workspace) == []
        assert uncounted_rows(workspace) == []
    assert contradictions(workspace) == []


def test_running_every_day_again_changes_no_byte_of_what_people_open(
    tmp_path: Path, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = new_workspace(tmp_path)
    (moment,) = moments("09a_full_credit_after_the_list_price_rose")
    found = []
    for _ in range(2):
        run_moment(workspace, moment, instance, monkeypatch)
        found.append(files_below(workspace.exports))
    assert found[0]
    assert found[0] == found[1]


def is_quarantine_expected(moment: Moment) -> bool:
    return any(file.stem == "quarantine" for file in moment.expected)
