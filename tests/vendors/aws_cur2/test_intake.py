"""A Data Export from the landing folder to the deliveries table."""

from datetime import date
from pathlib import Path

from billing_pipeline.periods import BillingPeriod
from resources import sample_aws_files
from tests.vendors.aws_intake import newest, take, workspace_of

MONTH = BillingPeriod("2026-10")


def test_restated_exports_end_with_the_last_one_which_is_shorter(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "home", "aws-cur2")
    for day, rows in ((3, 500), (5, 700), (8, 450)):
        sample_aws_files.write_aws_cur2(workspace.home, MONTH, rows=rows, seed=day, day=day)

    days = [take(workspace, date(2026, 11, day)) for day in (5, 8, 3)]

    assert [day.quarantine.height for day in days] == [0, 0, 0]
    last = newest(days)
    assert (last["row_count"], last["is_final"], last["billing_period"]) == (450, True, "2026-10")
    assert [day.deliveries["is_final"].to_list() for day in days] == [[False], [True], [False]]


def test_a_manifest_of_another_month_than_its_rows_is_quarantined(tmp_path: Path) -> None:
    workspace = workspace_of(tmp_path / "home", "aws-cur2")
    chunk, manifest = sample_aws_files.write_aws_cur2(workspace.home, MONTH, rows=450)
    for path in (chunk, manifest):
        target = Path(str(path).replace("2026-10", "2026-09"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes().replace(b"PERIOD=2026-10", b"PERIOD=2026-09"))
        path.unlink()

    day = take(workspace, date(2026, 11, 8))

    assert day.deliveries.is_empty()
    assert day.quarantine["reason"].to_list() == ["the manifest is for 2026-09, its chunks hold 2026-10"]
