"""The start of `billing`: loads what the command needs, runs it, and turns what went wrong into an exit code."""

import logging
import os
import sys
from importlib import import_module

import typer
from rich.logging import RichHandler

from billing_pipeline.cli.output import ERR, OUT, complain
from billing_pipeline.errors import BillingError, WrongUsage

_ALL = "billing_pipeline.cli.application"
# Commands that need neither Dagster nor the ledger: they start in half the time, in half the memory.
_ALONE = {"charges": "billing_pipeline.cli.charge_commands"}


def new_app() -> typer.Typer:
    """Return the program without commands."""
    return typer.Typer(
        name="billing",
        help="A cloud reseller's billing month: vendor files in, reconciled charges, customer charges and invoices"
        " out.\n\n"
        "Works on the workspace that BILLING_HOME names (default: data in the current folder). Exits 0 only if all went"
        " well, 1 when something was refused or failed, 2 for wrong usage.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def main() -> None:
    """Run the command; what a user can act on is one line on stderr and exit code 1."""
    # Dagster's own anonymous usage reports: an instance's settings turn them off, this does before one exists.
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    logging.getLogger("billing").addHandler(
        RichHandler(console=ERR, show_time=False, show_level=False, show_path=False)
    )
    logging.getLogger("billing").setLevel(logging.INFO)
    try:
        _app(sys.argv[1:])()
    except WrongUsage as error:
        complain(str(error))
        sys.exit(2)
    except BillingError as error:
        complain(str(error))
        sys.exit(1)
    finally:
        OUT.file.flush()


def _app(arguments: list[str]) -> typer.Typer:
    """Return the program with all its commands, or with the one group that is asked for where it stands alone."""
    name = arguments[0] if arguments else ""
    if name not in _ALONE:
        app: typer.Typer = import_module(_ALL).app
        return app
    app = new_app()
    app.add_typer(import_module(_ALONE[name]).app, name=name)
    return app
