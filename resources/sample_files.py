"""Write the sample world's vendor files and reference files into a workspace.

What does not belong here: what the files say (`billing_pipeline.samples`), and how each vendor lays them out
(`sample_aws_files`, `sample_microsoft_files`, `sample_google_files`, `sample_distributor_files`).
"""

from pathlib import Path

from billing_pipeline.errors import WrongUsage
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.catalogue import build_world, customer_count
from billing_pipeline.samples.reference_rows import reference_csv
from resources.sample_aws_files import write_aws_cur, write_aws_cur2, write_aws_dbr
from resources.sample_distributor_files import write_distributor
from resources.sample_google_files import write_gcp_reseller
from resources.sample_microsoft_files import write_azure_costs, write_focus, write_ms_daily, write_ms_nce

FEWEST_ROWS = 500
# The smaller feeds do not grow with the sample: they are there to be seen, not to be measured.
AWS_CUR2_ROWS, AWS_DBR_ROWS = 600, 500
MS_NCE_ROWS, MS_DAILY_ROWS, AZURE_COSTS_ROWS = 300, 500, 600
GCP_ROWS = 500


class TooFewRows(WrongUsage):
    """A sample with fewer rows than its fixed rows need."""


def write_samples(home: Path, month: BillingPeriod, rows: int = 20_000, seed: int = 1) -> list[Path]:
    """Write one month of vendor files in all nine formats into the landing folders of their sources.

    Nothing is held in memory but a few blocks of rows. The same arguments write the same bytes.

    Args:
        home: the workspace folder.
        month: the billing period.
        rows: data rows of `aws` (80 %) and `azure` (20 %) together; the other vendors' 3,000 and the distributor's 40
            or so come on top.
        seed: another seed writes other files.

    Returns:
        The files written, in the order of writing.

    Raises:
        TooFewRows: fewer than 500 rows.
    """
    if rows < FEWEST_ROWS:
        raise TooFewRows(f"a sample has at least {FEWEST_ROWS} rows, not {rows}")
    world = build_world(customer_count(rows))
    aws_rows = rows * 4 // 5
    return [
        *write_aws_cur(home, world, month, aws_rows, seed),
        write_focus(home, world, month, rows - aws_rows, seed),
        *write_distributor(home, world, month, seed),
        *write_aws_cur2(home, month, AWS_CUR2_ROWS, seed),
        write_aws_dbr(home, month, AWS_DBR_ROWS, seed),
        *write_ms_nce(home, month, MS_NCE_ROWS, seed),
        *write_ms_daily(home, month, MS_DAILY_ROWS, seed),
        *write_azure_costs(home, month, AZURE_COSTS_ROWS, seed),
        *write_gcp_reseller(home, month, GCP_ROWS, seed),
    ]


def write_sample_reference(home: Path, month: BillingPeriod, rows: int = 20_000) -> list[Path]:
    """Overwrite every `reference/*.csv` with a set that fits the samples of a month.

    Args:
        home: the workspace folder.
        month: terms are valid and recorded since two years before it.
        rows: as for `write_samples`: larger samples have more customers.

    Returns:
        The files written.
    """
    folder = home / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    world = build_world(customer_count(rows))
    paths = []
    for name, content in reference_csv(world, month).items():
        path = folder / f"{name}.csv"
        path.write_bytes(content)
        paths.append(path)
    return paths
