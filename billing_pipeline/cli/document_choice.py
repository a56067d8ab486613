"""Which documents a command is about: by id, --customer, --month or --all."""

import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from billing_pipeline.errors import WrongUsage
from billing_pipeline.ledger.documents import InvoiceSummary

IdsArgument = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Documents.")]
MonthOption = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="Billing period.")]
CustomerOption = Annotated[list[str] | None, typer.Option("--customer", metavar="ID", help="Customer; repeatable.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every document.")]
WhoOption = Annotated[str | None, typer.Option("--who", help="Who does it, for the record; default: the user.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


class ChoiceInvalid(WrongUsage):
    """The documents were not named in a way that can be followed."""


@dataclass(frozen=True)
class Choice:
    """The documents as the user named them.

    Attributes:
        documents: those that are meant.
        problems: what was named and is not there.
        is_by_id: whether each was named itself, so that one which cannot be done is a failure.
    """

    documents: tuple[InvoiceSummary, ...]
    problems: tuple[str, ...]
    is_by_id: bool


def choose(
    known: Sequence[InvoiceSummary],
    invoice_ids: Sequence[str] | None,
    customers: Sequence[str] | None,
    everything: bool,
) -> Choice:
    """Return the documents that are meant.

    Args:
        known: every document, or those of the --month that was given.
        everything: whether neither id nor customer is needed: --all or --month was given.

    Raises:
        ChoiceInvalid: nothing was named.
    """
    if not (invoice_ids or customers or everything):
        raise ChoiceInvalid("name documents by id, --customer, --month or --all")
    chosen = [head for head in known if not customers or head.customer_id in customers]
    problems = [
        f"customer {name}: there is no such document"
        for name in dict.fromkeys(customers or ())
        if not any(head.customer_id == name for head in chosen)
    ]
    if invoice_ids:
        ids = {head.invoice_id for head in chosen}
        problems += [f"{name}: there is no such document" for name in dict.fromkeys(invoice_ids) if name not in ids]
        chosen = [head for head in chosen if head.invoice_id in invoice_ids]
    return Choice(tuple(chosen), tuple(problems), bool(invoice_ids))


def user() -> str:
    """Return the user for the record: $USER, else whoever runs the process."""
    try:
        return os.environ.get("USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
