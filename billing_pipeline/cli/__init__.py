"""The `billing` command: assembles workspace, graph and ledger; nobody imports it."""

from billing_pipeline.cli.start import main

__all__ = ["main"]
