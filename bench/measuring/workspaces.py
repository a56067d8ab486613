"""The workspace that is measured: a month of sample files of any size, made once and kept for the next run."""

import shutil
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data"
MONTH = "2026-10"
_MADE = "made"


def workspace_folder(rows: int) -> Path:
    """Return the folder of the workspace with that many vendor rows, which git ignores."""
    return DATA / str(rows)


def make_workspace(rows: int) -> Path:
    """Write the sample month of one AWS report and the distributor's invoices, unless it is there.

    The other feeds are left out: a row of theirs is a charge of its own, and the targets are set for an AWS report,
    of which some fifteen hourly rows make a charge.

    Args:
        rows: data rows of the AWS report.
    """
    from billing_pipeline.periods import BillingPeriod  # noqa: PLC0415
    from billing_pipeline.samples.sources import sample_billing_toml  # noqa: PLC0415
    from resources.sample_files import write_sample_reference, write_samples  # noqa: PLC0415

    home = workspace_folder(rows)
    if not (home / _MADE).exists():
        home.mkdir(parents=True, exist_ok=True)
        month = BillingPeriod.parse(MONTH)
        # Four fifths of a sample's rows are the AWS report's.
        write_samples(home, month, rows * 5 // 4)
        write_sample_reference(home, month, rows * 5 // 4)
        for folder in (home / "landing").iterdir():
            if folder.name not in ("aws", "dist"):
                shutil.rmtree(folder)
        (home / "billing.toml").write_text(sample_billing_toml(), encoding="utf-8")
        (home / _MADE).touch()
    return home


def aws_chunks(rows: int) -> list[Path]:
    """Return the chunks of the workspace's Cost and Usage Report."""
    return sorted((workspace_folder(rows) / "landing" / "aws").rglob("*.csv.gz"))
