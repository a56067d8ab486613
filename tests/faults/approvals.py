"""Approvals by many processes at once, some of which are killed, for `test_ledger_concurrency` and `make test-ledger`.

Every worker is given all drafts, takes them in an order of its own and approves a few at a time, with a mail each: most
drafts are tried by several at once. A worker that is killed is replaced. At the end numbers have no gap, and every
document has one number, one mail and one event.
"""

import argparse
import os
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine, func, select

from billing_pipeline.configuration import Organisation
from billing_pipeline.invoicing import Invoice, Party
from billing_pipeline.ledger.approval import Approval, approve
from billing_pipeline.ledger.content import canonical_json, content_sha256
from billing_pipeline.ledger.documents import list_invoices, load_invoices
from billing_pipeline.ledger.life import Act
from billing_pipeline.ledger.outbox import message_id_of
from billing_pipeline.ledger.tables import events, invoice_numbers, issued_contents, mail_outbox
from resources.ledger import open_ledger, reading
from tests.ledger_documents import draft, put

PROJECT = Path(__file__).resolve().parents[2]
ORGANISATION = Organisation.model_validate(
    {
        "id": "contoso",
        "name": "Contoso Cloud Ltd",
        "time_zone": "Europe/Athens",
        "currency": "EUR",
        "country": "GR",
        "charges_start_on": date(2025, 1, 1),
        "standard_edition_since": date(2024, 6, 1),
    }
)


def letter(invoice: Invoice) -> tuple[str, str, str]:
    subject = f"Invoice {invoice.invoice_number}"
    return str(invoice.customer.email), subject, message_id_of(invoice.invoice_id, "approved", "contoso.example")


def run(url: str, documents: int, workers: int, kills: int, seed: int = 1) -> int:
    """Approve `documents` drafts with `workers` processes at a time, and kill `kills` of them on the way.

    Returns:
        How many workers were killed while they lived.
    """
    engine = open_ledger(url)
    put(engine, *(draft(name, customer=Party(name, name, email=f"{name}@acme.example")) for name in _names(documents)))
    engine.dispose()
    dice = random.Random(seed)
    readable, writable = os.pipe()
    started = [_start(url, seed * 1000 + number, writable) for number in range(workers)]
    # Spread over the first three quarters: nobody is killed who has nothing left to do.
    deaths = [(number + 1) * documents * 3 // (4 * (kills + 1)) for number in range(kills)]
    killed = done = 0
    with os.fdopen(readable, encoding="utf-8") as reports:
        while killed < kills:
            done += int(next(reports))
            if done < deaths[killed]:
                continue
            victim = dice.choice([worker for worker in started if worker.poll() is None])
            victim.kill()
            victim.wait()
            killed += 1
            started.append(_start(url, seed * 1000 + len(started), writable))
        os.close(writable)
        for _report in reports:
            pass
    failed = [worker for worker in started if worker.wait() not in {0, -9}]
    assert not failed, f"{len(failed)} workers failed"
    return killed


def check(engine: Engine, documents: int) -> None:
    """Assert that every document has been approved once, with everything that belongs to it."""
    with reading(engine).connect() as connection:
        heads = list_invoices(connection)
        found = load_invoices(connection)
        last = connection.execute(select(invoice_numbers.c.last_number)).scalars().all()
        mails = Counter(connection.execute(select(mail_outbox.c.invoice_id)).scalars())
        happened = Counter(
            connection.execute(select(events.c.invoice_id).where(events.c.action == "approved")).scalars()
        )
        contents = {row.invoice_id: row.content for row in connection.execute(select(issued_contents))}
        drafted = connection.scalar(select(func.count()).where(events.c.action == "drafted"))
    ids = {head.invoice_id for head in heads}
    assert (len(heads), drafted, last) == (documents, documents, [documents])
    assert {head.status for head in heads} == {"open"}
    year = heads[0].opened_at.year if heads[0].opened_at else None
    assert sorted(str(head.invoice_number) for head in heads) == [
        f"INV-{year}-{number:06d}" for number in range(1, documents + 1)
    ]
    by_number = sorted(heads, key=lambda head: str(head.invoice_number))
    opened = [head.opened_at for head in by_number if head.opened_at]
    assert opened == sorted(opened)
    assert mails == happened == Counter(ids)
    hashes = {head.invoice_id: head.content_sha256 for head in heads}
    assert {invoice.invoice_id: content_sha256(invoice) for invoice in found} == hashes
    assert {invoice.invoice_id: canonical_json(invoice) for invoice in found} == contents


def work(url: str, seed: int) -> None:
    """Approve whatever is a draft, a few at a time, until nothing is; say after each commit how many it was."""
    engine = open_ledger(url)
    dice = random.Random(seed)
    with reading(engine).connect() as connection:
        drafts = [head.invoice_id for head in list_invoices(connection, status="draft")]
    dice.shuffle(drafts)
    while drafts:
        some = [drafts.pop() for _ in range(min(len(drafts), dice.randint(1, 3)))]
        with engine.begin() as connection:
            outcome = approve(connection, some, Approval(ORGANISATION, {}, letter), lambda: _act(seed))
        sys.stdout.write(f"{len(outcome.moved)}\n")
        sys.stdout.flush()


def _act(seed: int) -> Act:
    now = datetime.now(UTC)
    return Act(now, f"worker {seed}", now.date())


def _names(count: int) -> list[str]:
    return [f"c{number:05d}" for number in range(count)]


def _start(url: str, seed: int, reports: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.approvals", "--worker", str(seed), "--url", url]
    return subprocess.Popen(command, cwd=PROJECT, stdout=reports)


def main() -> None:
    """Be a worker."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--worker", type=int, required=True)
    parser.add_argument("--url", required=True)
    options = parser.parse_args()
    work(options.url, options.worker)


if __name__ == "__main__":
    main()
