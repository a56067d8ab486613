"""`billing rebuild`: a month as it was known then, byte for byte, after terms, rates and deliveries have changed."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance

from billing_pipeline.cli.invoice_commands import export_documents
from billing_pipeline.cli.jobs import Jobs
from billing_pipeline.cli.rebuilds import as_instant, parse_moment
from billing_pipeline.errors import WrongUsage
from billing_pipeline.invoicing import DraftOptions
from billing_pipeline.periods import BillingPeriod
from resources import clock
from resources.archive import Archive
from resources.intake import open_inbox
from resources.rebuild import NothingKnown, Rebuilt, rebuild_month
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.workspaces import SINCE, drop, files_below, invoice, make_workspace, rows_of

OCTOBER = BillingPeriod("2025-10")
# The two states of the workspace, by the clock; what is dropped carries the time of its moment.
THEN = datetime(2025, 11, 10, 8, tzinfo=UTC)
LATER = datetime(2025, 11, 20, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="{}"/></svg>'


@dataclass(frozen=True)
class Story:
    """A workspace after its second state, and what its exports were after each of both.

    Attributes:
        then, later: content by path below `exports`.
    """

    workspace: Workspace
    then: Mapping[str, bytes]
    later: Mapping[str, bytes]


def write(path: Path, text: str, at: datetime) -> None:
    path.write_text(text)
    os.utime(path, (at.timestamp(), at.timestamp()))


def change(path: Path, old: str, new: str, at: datetime) -> None:
    text = path.read_text()
    assert old in text
    write(path, text.replace(old, new), at)


def credit(number: str, of: str, quantity: int, **changes: str) -> str:
    changes = {"type": "credit", "credits_invoice_number": of, "credits_line_number": "1", **changes}
    return invoice(number, quantity, **changes)


def aws(*costs: str) -> str:
    return rows_of(
        "aws_cur",
        *({"lineItem/UnblendedCost": cost, "identity/LineItemId": f"id-{at}"} for at, cost in enumerate(costs)),
    )


def first_state(workspace: Workspace) -> None:
    drop(workspace, "aws/received=2025-11-05/october.csv", aws("100.00", "0.0000012"), THEN)
    drop(workspace, "cloud/received=2025-11-05/october.csv", rows_of("focus", {"BilledCost": "40.00"}), THEN)
    # September's invoice, which a credit of October credits; it arrived a month before.
    september = {"invoice_date": "2025-09-20", "issued_at": "2025-09-20T10:00:00+02:00"}
    drop(workspace, "dist/received=2025-10-02/n0.csv", invoice("N0", 4, **september), THEN)
    drop(workspace, "dist/received=2025-11-05/n1.csv", invoice("N1", 3), THEN)
    drop(workspace, "dist/received=2025-11-05/c0.csv", credit("C0", "N0", 1), THEN)
    # The credit comes a day before the debit that it credits.
    drop(workspace, "dist/received=2025-11-05/c2.csv", credit("C2", "N2", 2), THEN)
    drop(workspace, "dist/received=2025-11-06/n2.csv", invoice("N2", 5), THEN)
    drop(workspace, "dist/received=2025-11-06/pending.csv", invoice("N3", 1, status="pending"), THEN)


def second_state(workspace: Workspace) -> None:
    reference = workspace.reference
    for vendor in ("AWS", "Cloud", "Distributor"):
        change(reference / "pricing_rules.csv", f"R-{vendor},vendor,{vendor},markup,10,{SINCE}",
               f"R-{vendor},vendor,{vendor},markup,25,{SINCE}", LATER)  # fmt: skip
    write(
        reference / "special_prices.csv",
        "special_price_id,customer_id,product_id,method,percent,unit_price,currency,valid_from,recorded_at\n"
        "S1,C-dist,p1,fixed,,1.00,USD,2024-01-01,2024-01-01T00:00:00Z\n",
        LATER,
    )
    change(reference / "exchange_rates.csv", "USD,EUR,0.90", "USD,EUR,0.80", LATER)
    change(reference / "customers.csv", "Customer of aws", "Renamed of aws", LATER)
    change(
        workspace.config_file, 'name = "Contoso Cloud Ltd"', 'name = "Fabrikam"\nshow_invoice_numbers = false', LATER
    )
    write(workspace.home / "logo.svg", LOGO.format("blue"), LATER)
    # Overwritten in place: the delivery of then is in no lake any more.
    drop(workspace, "cloud/received=2025-11-05/october.csv", rows_of("focus", {"BilledCost": "7.00"}), LATER)
    drop(workspace, "aws/received=2025-11-15/october.csv", aws("50.00"), LATER)
    # A rival of the report of then: nothing says which of them is the month, so both go to the quarantine.
    drop(workspace, "aws/received=2025-11-05/rival.csv", aws("60.00"), LATER)
    drop(workspace, "dist/received=2025-11-06/n2.csv", invoice("N2", 6), LATER)
    drop(workspace, "dist/received=2025-11-15/n1-again.csv", invoice("N1", 9), LATER)
    drop(workspace, "dist/received=2025-11-15/c1.csv", credit("C1", "N1", 1), LATER)
    drop(workspace, "dist/received=2025-11-06/n3.csv", invoice("N3", 1), LATER)


def run(workspace: Workspace, instance: DagsterInstance, at: datetime) -> None:
    """What `billing run --month 2025-10` and `billing invoices export --month 2025-10` do, with the clock set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "utc_now", lambda: at)
        config = workspace.load_config()
        days = open_inbox(workspace.home, config, Archive(workspace.archive)).days(config.organisation.zone)
        jobs = Jobs(workspace, instance)
        jobs.run_days(days, days, publish=False)
        jobs.run_month(OCTOBER, {"who": "test"})
        export_documents(workspace, OCTOBER.text, None, ("pdf", "csv"))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    workspace = make_workspace(tmp_path_factory.mktemp("rebuild") / "home")
    write(
        workspace.reference / "exchange_rates.csv",
        "base_currency,quote_currency,rate,rate_date\nUSD,EUR,0.90,2025-10-01\n",
        THEN,
    )
    # The vendor of `cloud` has settled at once, so that its deliveries are final.
    change(workspace.config_file, 'vendor = "Cloud"', 'vendor = "Cloud"\nsettles_after_business_days = [0, 0]', THEN)
    change(workspace.config_file, 'name = "Contoso Cloud Ltd"', 'name = "Contoso Cloud Ltd"\nlogo = "logo.svg"', THEN)
    write(workspace.home / "logo.svg", LOGO.format("red"), THEN)
    for path in [*workspace.reference.iterdir(), workspace.config_file]:
        os.utime(path, (THEN.timestamp(), THEN.timestamp()))
    with DagsterInstance.ephemeral() as instance:
        first_state(workspace)
        run(workspace, instance, THEN)
        then = files_below(workspace.exports)
        second_state(workspace)
        run(workspace, instance, LATER)
        yield Story(workspace, then, files_below(workspace.exports))


def of_days(exports: Mapping[str, bytes], *days: str) -> dict[str, bytes]:
    """The exports of days of arrival and of October's documents."""
    folders = (*(f"customer_charges/{day}/" for day in days), "invoices/2025-10/")
    return {name: content for name, content in exports.items() if name.startswith(folders)}


def rebuild(story: Story, as_of: datetime, out: Path, options: DraftOptions | None = None) -> Rebuilt:
    return rebuild_month(story.workspace, OCTOBER, as_of, options or DraftOptions(), out)


@pytest.fixture(scope="module")
def then(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The month as it was known then; made with an eye on the workspace."""
    out = tmp_path_factory.mktemp("rebuilt") / "then"
    before = _state(story.workspace)
    assert rebuild(story, THEN + MINUTE, out).errors == ()
    assert _state(story.workspace) == before
    return out


def test_terms_rates_settings_and_deliveries_of_the_story_changed_every_export(story: Story) -> None:
    assert story.then.keys() < story.later.keys()
    assert [name for name in story.then if "2025-10-02" not in name and story.then[name] == story.later[name]] == []


def test_the_exports_of_then_come_out_byte_for_byte(story: Story, then: Path) -> None:
    assert files_below(then / "exports") == of_days(story.then, "2025-11-05", "2025-11-06")


def test_as_of_now_the_exports_are_those_of_the_workspace(story: Story, tmp_path: Path) -> None:
    rebuilt = rebuild(story, LATER + MINUTE, tmp_path / "now")
    assert rebuilt.days == ("2025-11-05", "2025-11-06", "2025-11-15")
    assert files_below(tmp_path / "now" / "exports") == of_days(story.later, *rebuilt.days)
    lake = files_below(tmp_path / "now" / "lake")
    there = files_below(story.workspace.lake)
    assert {name: content for name, content in lake.items() if there[name] != content} == {}


def test_a_rebuild_leaves_the_workspace_as_it_is_and_nothing_of_its_own_on_the_way(then: Path) -> None:
    # That the workspace stays as it is, the fixture says.
    assert sorted(path.name for path in then.iterdir()) == [
        *("exports", "lake", "ledger.db", "rebuild.json", "warehouse.duckdb")
    ]


def test_the_manifest_names_deliveries_terms_and_every_file(story: Story, then: Path) -> None:
    manifest = json.loads((then / "rebuild.json").read_text())
    assert (manifest["month"], manifest["as_of"]) == ("2025-10", "2025-11-10T08:01:00+00:00")
    assert {item["billing_account_id"] for item in manifest["deliveries"]} == {
        *("000111111111", "0042", "N1", "N2", "N3", "C0", "C2")
    }
    archived = {path.name for path in (story.workspace.archive / "files").rglob("*") if path.is_file()}
    assert all(item["sha256"] in archived for item in manifest["deliveries"])
    terms = story.workspace.archive / "reference"
    assert all(
        list(terms.glob(f"{name}/*{sha256}*")) for name, shas in manifest["reference"].items() for sha256 in shas
    )
    assert set(manifest["reference"]) == {"customers", "accounts", "pricebooks", "pricing_rules", "exchange_rates"}
    made = files_below(then)
    assert manifest["files"] == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in made.items()
        if name.startswith(("exports/", "lake/"))
    }


def test_the_warehouse_of_a_rebuild_holds_the_month_as_it_stood(then: Path) -> None:
    with duckdb.connect(str(then / "warehouse.duckdb"), read_only=True) as warehouse:
        periods = warehouse.execute("select distinct billing_period from deliveries").fetchall()
        terms = warehouse.execute("select distinct price_percent from priced_line_items").fetchall()
        costs = warehouse.execute("select sum(billed_cost) from vendor_charges where source = 'cloud'").fetchall()
        credited = warehouse.execute(
            "select invoice_number, total_sell from priced_line_items where charge_type = 'Credit' order by all"
        ).fetchall()
        states = warehouse.execute("select distinct state from billing_status").fetchall()
    assert periods == [("2025-10",)]
    assert terms == [(10,)]
    assert costs == [(40,)]
    # 10 % on 10.00: of September's invoice, and of the one that arrived on the day after the credit.
    assert credited == [("C0", -11), ("C2", -22)]
    assert states == [("locked",)]


def test_before_anything_had_arrived_nothing_is_made(story: Story, tmp_path: Path) -> None:
    with pytest.raises(NothingKnown, match="no delivery of 2025-10 was known at 2025-11-01"):
        rebuild(story, datetime(2025, 11, 1, tzinfo=UTC), tmp_path / "before")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingKnown):
        rebuild(story, datetime(2025, 11, 1, tzinfo=UTC), tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_month_loaded_afterwards_can_be_looked_at_day_by_day(
    story: Story, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "day"
    words = ("rebuild", "--month", "2025-10", "--as-of", "2025-11-05", "--out", str(out), "--json")
    assert run_command(story.workspace, *words) == 1
    printed = capfd.readouterr()
    assert "no draft for customer C-dist" in printed.err
    facts = json.loads(printed.out)
    assert (facts["days"], facts["as_of"]) == (["2025-11-05"], "2025-11-05T21:59:59.999999+00:00")
    # The debit of C2 arrived on the day after.
    with duckdb.connect(str(out / "warehouse.duckdb"), read_only=True) as warehouse:
        unpriced = warehouse.execute("select invoice_number, reason from unbilled_charges").fetchall()
    assert unpriced == [("C2", "the credited line is not known: N2 line 1")]


def test_parquet_that_is_gone_is_converted_again_and_not_into_the_workspace(story: Story, tmp_path: Path) -> None:
    gone = sorted((story.workspace.lake / "vendor_charges" / "2025-11-05").glob("dist-*.parquet"))
    contents = {path: path.read_bytes() for path in gone}
    try:
        for path in gone:
            path.unlink()
        rebuilt = rebuild(story, THEN + MINUTE, tmp_path / "then")
        assert files_below(tmp_path / "then" / "exports") == of_days(story.then, *rebuilt.days)
        assert not any(path.exists() for path in gone)
    finally:
        for path, content in contents.items():
            path.write_bytes(content)
    assert len(gone) == 3


@pytest.mark.parametrize("text", ["2025-11-05T09:00:00", "yesterday", "2025-13-01", "2025-11-05T09:00:00 Athens"])
def test_a_moment_that_is_none_is_wrong_usage(text: str) -> None:
    with pytest.raises(WrongUsage):
        parse_moment(text)


@pytest.mark.parametrize(
    ("as_of", "out", "code", "said"),
    [
        ("2025-11-05T09:00:00", "new", 2, "is no instant"),
        ("2999-01-01", "new", 2, "lies in the future"),
        ("2025-11-10", "full", 2, "is not empty"),
        ("2025-11-10", "home/then", 2, "inside the workspace"),
        ("2025-11-01", "new", 1, "no delivery of 2025-10 was known"),
    ],
)
def test_what_cannot_be_rebuilt_is_said_and_leaves_no_folder(
    story: Story, as_of: str, out: str, code: int, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    folder = story.workspace.home / "then" if out == "home/then" else tmp_path / out
    words = ("rebuild", "--month", "2025-10", "--as-of", as_of, "--out", str(folder))
    assert run_command(story.workspace, *words) == code
    assert said in capfd.readouterr().err
    assert folder.exists() == (out == "full")


def test_a_day_means_its_end_on_the_organisations_clock(story: Story) -> None:
    zone = story.workspace.load_config().organisation.zone
    assert as_instant(parse_moment("2025-11-10"), zone, LATER) == datetime(2025, 11, 10, 21, 59, 59, 999999, tzinfo=UTC)
    today = LATER.date()
    assert as_instant(today, zone, LATER) > LATER
    for moment in (today + timedelta(days=1), LATER + MINUTE):
        with pytest.raises(WrongUsage, match="lies in the future"):
            as_instant(moment, zone, LATER)


def _state(workspace: Workspace) -> dict[Path, tuple[int, str]]:
    """Time and hash of everything in a workspace."""
    return {
        path: (path.stat().st_mtime_ns, "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest())
        for path in workspace.home.rglob("*")
    }
