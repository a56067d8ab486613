"""A lake laid over another one: what is written goes to its own folder, what it lacks is read from the one below.

With it a month can be worked through again, as it was known on another day or under other terms, and the lake below
stays as it is.
"""

from collections.abc import Collection
from pathlib import Path

from resources.lake import Lake


class OverlayLake(Lake):
    """A lake with a lake below it.

    Args:
        root: its own folder, the only one that is written.
        below: the lake that is read where this one has nothing.
        shared: the assets read from below; of any other only what was written here exists. Converted files are found
            below whatever is shared.
    """

    def __init__(self, root: Path, below: Lake, shared: Collection[str]) -> None:
        super().__init__(root)
        self.below = below
        self.shared = frozenset(shared)

    def find(self, asset: str, partition: str) -> Path | None:
        """Return the file to read one partition of one asset from, this lake's own before the one below."""
        own = super().find(asset, partition)
        return self.below.find(asset, partition) if own is None and asset in self.shared else own

    def partitions(self, asset: str) -> list[str]:
        """Return the partitions that exist here or, of a shared asset, below; in order."""
        own = super().partitions(asset)
        return sorted({*own, *self.below.partitions(asset)}) if asset in self.shared else own

    def locate(self, name: str) -> Path:
        """Return the place of a converted file: here if it was converted here, else below."""
        own = super().locate(name)
        return own if own.exists() else self.below.locate(name)
