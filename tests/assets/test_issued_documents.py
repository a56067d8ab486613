"""Whatever happens after a document was issued, its bytes stay: in the ledger, in the lake and in every format."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from sqlalchemy import select

from billing_pipeline.ledger.tables import invoices, issued_contents
from resources.document_files import FORMATS
from resources.ledger import open_ledger, reading
from resources.workspace import Workspace
from tests.command_line import run_command
from tests.workspaces import RECEIVED, drop, files_below, invoice, make_workspace, query, rows_of

OCTOBER = "2025-10"
AWS, CLOUD, DISTRIBUTED = (f"{OCTOBER}-C-{name}-USD" for name in ("aws", "cloud", "dist"))
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9" fill="{}"/></svg>'
Hashes = Mapping[str, str]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A month of two vendors and a distributor, whose three documents are issued."""
    made = make_workspace(tmp_path / "home")
    # Nothing falls due meanwhile: the status, which moves on, stands in the CSV.
    more = 'name = "Contoso Cloud Ltd"\nlogo = "logo.svg"\npayment_terms_days = 36500'
    replace_in(made.config_file, 'name = "Contoso Cloud Ltd"', more)
    (made.home / "logo.svg").write_text(LOGO.format("red"))
    drop(made, f"aws/{RECEIVED}/report.csv", usage("5.001", "0.005"))
    drop(made, f"cloud/{RECEIVED}/costs.csv", rows_of("focus", {}))
    drop(made, f"dist/{RECEIVED}/invoice.csv", invoice("N1", 3))
    done(made, "run", "--month", OCTOBER)
    done(made, "invoices", "approve", "--month", OCTOBER)
    return made


def usage(*costs: str) -> str:
    rows = [{"identity/LineItemId": str(place), "lineItem/UnblendedCost": cost} for place, cost in enumerate(costs)]
    return rows_of("aws_cur", *rows)


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def done(workspace: Workspace, *words: str) -> None:
    assert run_command(workspace, *words) == 0, words


def hashes(workspace: Workspace, folder: Path, *invoice_ids: str) -> Hashes:
    """Return the SHA-256 of all that is kept of documents and of all that they are exported as."""
    done(workspace, "invoices", "export", *invoice_ids, "--format", ",".join(FORMATS), "--out", str(folder))
    found = files_below(folder)
    engine = open_ledger("sqlite:///ledger.db", workspace.home)
    with reading(engine).connect() as connection:
        for row in connection.execute(select(issued_contents).where(issued_contents.c.invoice_id.in_(invoice_ids))):
            found[f"content of {row.invoice_id}"] = row.content.encode()
        heads = select(invoices.c.invoice_id, invoices.c.content_sha256, invoices.c.charges_sha256)
        for head in connection.execute(heads.where(invoices.c.invoice_id.in_(invoice_ids))):
            snapshot = workspace.lake / "billed_charges" / OCTOBER / f"{head.charges_sha256}.parquet"
            found[f"charges of {head.invoice_id}"] = snapshot.read_bytes()
            found[f"hash of {head.invoice_id}"] = head.content_sha256.encode()
    engine.dispose()
    shown = "from billed_charges where invoice_id = '{}' order by all"
    for name in invoice_ids:
        found[f"charges of {name} as published"] = repr(query(workspace, f"select * {shown.format(name)}")).encode()
    return {name: hashlib.sha256(content).hexdigest() for name, content in found.items()}


def restate(workspace: Workspace) -> None:
    """Vendors change the month: another price, a late row, a withdrawn one, and an invoice issued anew."""
    later = RECEIVED.replace("11-25", "12-03")
    drop(workspace, f"aws/{later}/report.csv", usage("7.5", "0.005", "3"))
    drop(workspace, f"cloud/{later}/costs.csv", rows_of("focus", {"BilledCost": "-1.25"}))
    drop(workspace, f"dist/{later}/invoice.csv", invoice("N1", 2))
    done(workspace, "run", "--date", later.removeprefix("received="))
    done(workspace, "invoices", "draft", "--month", "2025-11")


def reissue_terms(workspace: Workspace) -> None:
    """The reseller gets another name, logo and price, the customer another name and address."""
    replace_in(workspace.config_file, 'name = "Contoso Cloud Ltd"', 'name = "Fabrikam"\naddress = "Elsewhere 7"')
    (workspace.home / "logo.svg").write_text(LOGO.format("blue"))
    replace_in(workspace.home / "reference" / "customers.csv", "Customer of", "Friend of")
    replace_in(workspace.home / "reference" / "pricing_rules.csv", ",markup,10,", ",markup,50,")
    done(workspace, "run", "--month", "2025-11")


def draft_again(workspace: Workspace) -> None:
    """Whoever drafts the month again is told that it is invoiced."""
    done(workspace, "invoices", "draft", "--month", OCTOBER)


def end_the_others(workspace: Workspace) -> None:
    """Other documents are made void, closed and corrected; the void one is drafted and issued once more."""
    done(workspace, "invoices", "void", CLOUD, "--reason", "wrong")
    done(workspace, "invoices", "credit-note", DISTRIBUTED, "--reason", "a gift")
    done(workspace, "invoices", "close", DISTRIBUTED)
    run_command(workspace, "invoices", "draft", "--month", OCTOBER)
    done(workspace, "invoices", "approve", "--all")


SCENARIOS: tuple[Callable[[Workspace], None], ...] = (restate, reissue_terms, draft_again, end_the_others)


def test_an_issued_document_keeps_every_byte_whatever_happens_to_the_month_the_terms_and_the_others(
    workspace: Workspace, tmp_path: Path
) -> None:
    before = hashes(workspace, tmp_path / "before", AWS)
    assert len(before) == len(FORMATS) + 4
    for scenario in SCENARIOS:
        scenario(workspace)
        after = hashes(workspace, tmp_path / scenario.__name__, AWS)
        changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
        assert not changed, scenario.__doc__

    done(workspace, "invoices", "close", AWS)
    after = hashes(workspace, tmp_path / "closed", AWS)
    # Only the list of lines for other programs says what became of the document itself.
    assert [name for name in before if before[name] != after[name]] == [f"{AWS}.csv"]
    opened, closed = ((tmp_path / name / f"{AWS}.csv").read_text() for name in ("before", "closed"))
    assert closed == opened.replace(",open,", ",closed,")
