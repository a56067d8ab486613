"""The command line's commands and options; what they do is in the modules beside this one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from billing_pipeline.cli import (
    charge_commands,
    demonstration,
    explain,
    focus_commands,
    invoice_commands,
    mail_commands,
    rebuilds,
    reconciliations,
    reports,
    whatifs,
)
from billing_pipeline.cli.document_choice import WhoOption, user
from billing_pipeline.cli.draft_options import (
    ApplyCredits,
    IncludeMarketplaceFees,
    IncludeTax,
    OverrideUnsettled,
    UseCreditsForMarketplaceFees,
    draft_options,
)
from billing_pipeline.cli.intake_listing import show_intake
from billing_pipeline.cli.margins import MARGINS_BY, show_margins
from billing_pipeline.cli.runs import RunRequest, run
from billing_pipeline.cli.start import new_app
from billing_pipeline.cli.status import show_status
from billing_pipeline.cli.verification import show_verification
from billing_pipeline.errors import WrongUsage
from billing_pipeline.periods import BillingPeriod, parse_day
from billing_pipeline.samples.sources import sample_billing_toml
from resources.sample_files import write_sample_reference, write_samples
from resources.workspace import Workspace
from resources.workspace_templates import init_workspace

app = new_app()
app.add_typer(invoice_commands.app, name="invoices")
app.add_typer(charge_commands.app, name="charges")
app.add_typer(mail_commands.app, name="mail")
app.add_typer(focus_commands.app, name="focus")

MonthOption = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("init")
def init_command(directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make or fill.")]) -> None:
    """Make an empty workspace: billing.toml and every reference file with its header and an example row."""
    for path in init_workspace(directory):
        typer.echo(path)


@app.command("sample")
def sample_command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Workspace whose landing folder is filled.")],
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Billing period of the files.")],
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows of aws and azure; the others are small.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed writes other files.")] = 1,
) -> None:
    """Write realistic vendor files of one month, in the vendors' own formats: all nine that are read.

    A folder without billing.toml becomes a complete workspace: configuration and reference files that fit the samples
    are written too. An existing configuration is left alone; of the files, those are read whose source it names: aws,
    azure, dist, aws-cur2, aws-dbr, ms-nce, ms-daily, azure-costs, gcp.
    """
    period = BillingPeriod.parse(month)
    workspace = Workspace.at(directory)
    written = []
    if not workspace.config_file.exists():
        workspace.home.mkdir(parents=True, exist_ok=True)
        workspace.config_file.write_text(sample_billing_toml(), encoding="utf-8")
        written = [workspace.config_file, *write_sample_reference(workspace.home, period, rows)]
    for path in [*written, *write_samples(workspace.home, period, rows, seed)]:
        typer.echo(path)


@app.command("run")
def run_command(
    month: MonthOption = None,
    date: Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="One day of arrival.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day of arrival.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day of arrival.")] = None,
    apply_credits: ApplyCredits = False,
    include_tax: IncludeTax = False,
    include_marketplace_fees: IncludeMarketplaceFees = False,
    use_credits_for_marketplace_fees: UseCreditsForMarketplaceFees = False,
    override_unsettled: OverrideUnsettled = None,
    as_json: JsonOption = False,
) -> None:
    """Run the pipeline without web server or daemon.

    --date, --from and --to are days of arrival. --month is every day on which a delivery of that billing period
    arrived, then that month's drafts. Without any of them: every day with files that no run has taken yet.
    """
    if sum(choice is not None for choice in (month, date, first or last)) > 1 or (first is None) != (last is None):
        raise typer.BadParameter("choose one of --month, --date, or --from together with --to")
    options = draft_options(
        apply_credits, include_tax, include_marketplace_fees, use_credits_for_marketplace_fees, override_unsettled
    )
    from_day, to_day = (date or first), (date or last)
    request = RunRequest(
        month=None if month is None else BillingPeriod.parse(month),
        first=None if from_day is None else parse_day(from_day),
        last=None if to_day is None else parse_day(to_day),
        options=options,
    )
    if not run(Workspace.from_environment(), request, as_json):
        raise typer.Exit(1)


@app.command("demo")
def demo_command(
    month: MonthOption = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows of aws and azure; the others are small.")] = 20_000,
) -> None:
    """Make a workspace with sample files, run the whole flow for a month, and say what was made where."""
    today = datetime.now(UTC).date()
    period = demonstration.latest_complete_month(today) if month is None else BillingPeriod.parse(month)
    if not demonstration.demonstrate(Workspace.from_environment(), period, rows):
        raise typer.Exit(1)


@app.command("intake")
def intake_command(
    is_retried: Annotated[
        bool, typer.Option("--retry", help="First run the days of quarantined files again, and say what came of it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the deliveries taken, files that are ready, that wait or are in quarantine, with reasons."""
    workspace = Workspace.from_environment()
    went_well = reports.retry(workspace, as_json) if is_retried else True
    if not show_intake(workspace, as_json) or not went_well:
        raise typer.Exit(1)


@app.command("status")
def status_command(month: MonthOption = None, as_json: JsonOption = False) -> None:
    """Show where each source stands in each billing period: its state, files, totals, and what it waits for.

    States: open (the month runs), collecting (it has ended; something is awaited), settled, locked (on documents). As
    of the last run. The vendor's total is without tax, that of the rows with it; the difference leaves tax out.
    --json prints every column of the warehouse's table billing_status.
    """
    show_status(Workspace.from_environment(), month and BillingPeriod.parse(month).text, as_json)


@app.command("reconcile")
def reconcile_command(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")],
    accept: Annotated[
        str | None,
        typer.Option("--accept", metavar="SOURCE[/ACCOUNT]", help="Accept the differences that block, as they are."),
    ] = None,
    currency: Annotated[str | None, typer.Option("--currency", metavar="CODE", help="Accept this one only.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why it is accepted; kept.")] = None,
    who: WhoOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what vendors say, what their rows add up to, and where every cent went: one row per bucket.

    A difference that nothing explains blocks the invoices of its source and month. --accept lets it pass, is written
    down with --reason and who, and holds only while difference and deliveries are the same. Exits 1 while a difference
    blocks. docs/reconciliation.md says what each reason means.
    """
    workspace, period = Workspace.from_environment(), BillingPeriod.parse(month)
    if accept is not None:
        reconciliations.accept(workspace, period, accept, currency, reason, who or user())
    elif currency is not None or reason is not None:
        raise WrongUsage("--currency and --reason go with --accept")
    if not reconciliations.reconcile(workspace, period.text, reports.query_warehouse, as_json):
        raise typer.Exit(1)


@app.command("margins")
def margins_command(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")],
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="customer|product_type|both", help="Only the margins, a row for each."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show where money leaks, each finding with its amount, and the margin per customer.

    Leaks are unmapped accounts, unpriced and uninvoiced charges, prices below cost, special prices that have ended,
    marketplace fees not passed on, cost above the distributor's price list, and credits beyond what was charged. With
    --by only the margins are shown; --json without it prints the leaks. Currencies are never added up.
    """
    if by not in (None, *MARGINS_BY):
        raise typer.BadParameter("choose customer, product_type or both", param_hint="--by")
    show_margins(Workspace.from_environment(), BillingPeriod.parse(month).text, by, as_json)


@app.command("rebuild")
def rebuild_command(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")],
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="INSTANT", help="ISO 8601 with zone, or a day, which means its end.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the result; empty or absent.")],
    apply_credits: ApplyCredits = False,
    include_tax: IncludeTax = False,
    include_marketplace_fees: IncludeMarketplaceFees = False,
    use_credits_for_marketplace_fees: UseCreditsForMarketplaceFees = False,
    override_unsettled: OverrideUnsettled = None,
    as_json: JsonOption = False,
) -> None:
    """Make a month again as it was known at a past instant: deliveries, terms and settings of then, nothing newer.

    DIR gets the exports, drafts, lake, ledger and warehouse that `billing run --month` would have made at that instant,
    byte for byte, and rebuild.json, which names the deliveries and terms they come from. The workspace is only read.
    Give the options of the run that is repeated. Exits 1 if no delivery of the month was known, or a customer got no
    draft.
    """
    period, moment = BillingPeriod.parse(month), rebuilds.parse_moment(as_of)
    options = draft_options(
        apply_credits, include_tax, include_marketplace_fees, use_credits_for_marketplace_fees, override_unsettled
    )
    if not rebuilds.rebuild(Workspace.from_environment(), period, moment, options, out, as_json):
        raise typer.Exit(1)


@app.command("whatif")
def whatif_command(
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")],
    terms: Annotated[
        Path, typer.Option("--terms", metavar="DIR", help="Reference files that replace those of the same name.")
    ],
    by: Annotated[str, typer.Option("--by", metavar="customer|product", help="A row for each.")] = "customer",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the exact numbers as CSV.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Price a month again under other terms, and show the change per customer and currency; nothing is touched.

    The files in DIR replace those of the same name, whole; the others stay. Their rows count as known from the
    beginning unless they have a recorded_at of their own. Prices before are those of the month's current deliveries.
    --by product shows each customer's products.
    """
    if by not in ("customer", "product"):
        raise typer.BadParameter("choose customer or product", param_hint="--by")
    period = BillingPeriod.parse(month)
    whatifs.what_if(Workspace.from_environment(), period, terms, by == "product", out, as_json)


@app.command("explain")
def explain_command(
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Document id or number, the same with /LINE, a distributor's invoice number or that with /LINE,"
            " line_item_id, or charge_id.",
        ),
    ],
    line: Annotated[str | None, typer.Option("--line", metavar="N", help="Line of the document or invoice.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Print long lists whole, every vendor row too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Explain an amount: the charges behind it, the term that priced them, the vendor's file, SHA-256 and rows.

    A document shows its lines, a line its rounding and its charges, a charge its arithmetic, term, customer, delivery
    and vendor rows. Sums are checked exactly; what does not agree is said on stderr, and the exit code is 1.
    """
    if not explain.explain_amount(Workspace.from_environment(), identifier, line, everything, as_json):
        raise typer.Exit(1)


@app.command("verify")
def verify_command(as_json: JsonOption = False) -> None:
    """Check archive, lake, documents and warehouse against their hashes and totals; nothing is written.

    Every archived file and reference version against its SHA-256, converted files and buckets against the deliveries,
    documents against the hash of their content, their charges, sums and numbers, the warehouse against the ledger. One
    line per kind of check; every problem is named on stderr, and the exit code is then 1. Run it while nothing else
    runs. docs/verify.md says what is compared and what to do.
    """
    if not show_verification(Workspace.from_environment(), as_json):
        raise typer.Exit(1)
