"""What has been begun and not brought to its end: days of arrival being run, changes that are not published.

A mark is an empty file below `.unfinished` in the workspace. It is made before the first change and removed after the
last, so that the next run finds what a killed or failed one has left undone. What does not belong here: files that are
not whole (`resources.unfinished_files`).
"""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from resources.unfinished_files import is_alive_elsewhere, process_name

FOLDER = ".unfinished"
# Who has yet to be done with a day: the assets that end the daily job, and `billing run`, which may run it once more.
LAST_ASSETS = ("usage_reconciliation", "customer_charges_export")
RUN = "run"


class UnfinishedWork:
    """The marks of one workspace.

    Args:
        home: the workspace.
    """

    def __init__(self, home: Path) -> None:
        self._days = home / FOLDER / "days"
        self._changes = home / FOLDER / "changes"

    def begin_days(self, days: Iterable[str], *who: str) -> None:
        """Mark days of arrival, before anything of them is replaced.

        Args:
            days: partition keys.
            who: of `LAST_ASSETS` and `RUN`; each removes its own mark.
        """
        self._days.mkdir(parents=True, exist_ok=True)
        for day in days:
            for one in who:
                (self._days / f"{day}.{one}").touch()

    def finish_days(self, days: Iterable[str], who: str) -> None:
        """Remove the marks of days that have been worked through, in all their partitions."""
        for day in days:
            (self._days / f"{day}.{who}").unlink(missing_ok=True)

    def days(self, *who: str) -> list[date]:
        """Return the days that somebody is working on, or has left undone, in order.

        Args:
            who: whose marks count; none given means everybody's.
        """
        marks = [path for path in self._days.glob("*") if not who or path.suffix[1:] in who]
        return sorted({date.fromisoformat(path.stem) for path in marks})

    def begin_change(self) -> Sequence[Path]:
        """Mark that the warehouse will be behind lake or ledger; before anything of them is replaced.

        Returns:
            The mark, for `finish_changes` if nothing is changed after all; none if an earlier change has set it.
        """
        self._changes.mkdir(parents=True, exist_ok=True)
        mark = self._changes / process_name()
        if mark.exists():
            return ()
        mark.touch()
        return (mark,)

    def changes(self) -> list[Path]:
        """Return the marks of changes that nobody will publish unless somebody does: no other process works on them."""
        return sorted(path for path in self._changes.glob("*") if not is_alive_elsewhere(path.name))

    def finish_changes(self, changes: Sequence[Path]) -> None:
        """Remove the marks of changes that have been published, or not been made.

        Args:
            changes: as they were before they began to be published.
        """
        for path in changes:
            path.unlink(missing_ok=True)
