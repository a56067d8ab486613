"""Converted vendor files that no delivery names any more: those of deliveries that have been replaced.

They stay until a warehouse is published that does not read them. What does not belong here: converting files
(`resources.conversion`).
"""

import json
from collections.abc import Collection
from datetime import date
from pathlib import Path

import duckdb

from billing_pipeline.schemas.deliveries import DELIVERIES
from billing_pipeline.schemas.vendor_charges import VENDOR_CHARGES
from resources.lake import Lake


def converted_files(lake: Lake, day: str) -> list[Path]:
    """Return the converted files of a day of arrival, those that a conversion has not finished among them."""
    return sorted((lake.root / VENDOR_CHARGES.name / day).glob("*"))


def remove_unlisted(lake: Lake, spared: Collection[date]) -> list[Path]:
    """Remove converted files that no delivery names.

    Args:
        spared: days that are under way: their files are converted before their deliveries are listed.

    Returns:
        The files removed.
    """
    removed = []
    listed = _listed(lake)
    for folder in sorted((lake.root / VENDOR_CHARGES.name).glob("*")):
        if date.fromisoformat(folder.name) in spared:
            continue
        for path in converted_files(lake, folder.name):
            if str(path.relative_to(lake.root)) not in listed:
                path.unlink(missing_ok=True)
                removed.append(path)
    return removed


def _listed(lake: Lake) -> set[str]:
    files = lake.files(DELIVERIES.name)
    if not files:
        return set()
    query = "select distinct parquet_files from read_parquet($files, hive_partitioning = false)"
    with duckdb.connect() as connection:
        found = connection.execute(query, {"files": files}).fetchall()
    return {name for (names,) in found for name in json.loads(names)}
