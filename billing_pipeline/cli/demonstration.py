"""`billing demo`: a workspace with sample files, the whole flow for one month, and where to look."""

from datetime import date

from billing_pipeline.cli.document_exports import export_documents
from billing_pipeline.cli.output import OUT
from billing_pipeline.cli.runs import RunRequest, run
from billing_pipeline.errors import ConfigurationInvalid
from billing_pipeline.periods import BillingPeriod
from billing_pipeline.samples.sources import sample_billing_toml
from resources.sample_files import write_sample_reference, write_samples
from resources.workspace import Workspace

# The samples' vendors deliver their final files on the 8th of the following month.
_FINAL_FILES_ON_DAY = 8


def latest_complete_month(today: date) -> BillingPeriod:
    """Return the newest month whose final sample files have arrived by a day."""
    month = BillingPeriod.of_day(today).previous()
    return month if today.day > _FINAL_FILES_ON_DAY else month.previous()


def demonstrate(workspace: Workspace, month: BillingPeriod, rows: int) -> bool:
    """Fill a workspace with samples, run the month and export its documents.

    Args:
        workspace: an empty folder, or one that a demo has filled before.
        rows: rows of AWS and FOCUS together.

    Returns:
        Whether all went well.

    Raises:
        ConfigurationInvalid: the folder holds a workspace of somebody's own.
    """
    settings = sample_billing_toml()
    if workspace.config_file.exists() and workspace.config_file.read_text(encoding="utf-8") != settings:
        raise ConfigurationInvalid(
            f"{workspace.home} holds a workspace that is no demo; name another folder in BILLING_HOME"
        )
    workspace.home.mkdir(parents=True, exist_ok=True)
    workspace.config_file.write_text(settings, encoding="utf-8")
    write_sample_reference(workspace.home, month, rows)
    files = write_samples(workspace.home, month, rows)
    OUT.print(f"{len(files)} sample files for {month} in {workspace.home / 'landing'}", markup=False, soft_wrap=True)
    went_well = run(workspace, RunRequest(month=month))
    exported = export_documents(
        workspace, month.text, None, ("pdf", "csv"), workspace.exports / "invoices" / month.text
    )
    OUT.print(
        f"{'statements':<18} {len(exported)} files in {workspace.exports / 'invoices' / month.text}",
        markup=False,
        soft_wrap=True,
    )
    OUT.print(f"\nLook at it: billing reconcile --month {month}, billing invoices list, billing intake", soft_wrap=True)
    return went_well
