"""Which version of a file each checksum speaks of, and what that makes of the file: taken, refused, or waiting.

A checksum speaks of the version of its file that was there when it arrived, and of those that came while it was in
force. It never speaks of a version that is a day older than itself, so that a day keeps what it took; nor of one
before the version that it fits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing_pipeline.checksums import TITLES, Algorithm, Checksum, algorithm_of, may_speak_of
from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival

DigestOf = Callable[[Arrival, Algorithm], str]
# A vendor overwrites file and checksum in either order: what comes later speaks of the next version, not of this one.
_SPEAKS_OF_THE_PAST = timedelta(days=1)


@dataclass(frozen=True)
class Verdict:
    """What the checksum files come to for one version of a file.

    Attributes:
        fitting: the first to have arrived of those that its bytes match.
        refused: its bytes match none of those that speak of it.
        waits_for: what must arrive before it can be taken.
    """

    fitting: Checksum | None = None
    refused: BadInput | None = None
    waits_for: str | None = None

    @property
    def is_held_back(self) -> bool:
        """Whether it may not be taken, or not yet."""
        return self.refused is not None or self.waits_for is not None


@dataclass(frozen=True)
class Judgement:
    """What all checksum files of a source come to.

    Attributes:
        is_required: whether nothing is taken without a checksum.
        unheard: what speaks of no version of any file that is there.
    """

    verdicts: Mapping[Arrival, Verdict] = field(default_factory=dict)
    is_required: bool = False
    unheard: tuple[Checksum, ...] = ()

    def verdict(self, arrival: Arrival) -> Verdict:
        """Return the verdict on a file; one of which nothing was said may be taken."""
        return self.verdicts.get(arrival, Verdict())

    def needed_for(self, pieces: Iterable[Arrival]) -> tuple[Arrival, ...]:
        """Return the checksum files without which these files were not taken."""
        fitting = (self.verdict(piece).fitting for piece in pieces) if self.is_required else ()
        return tuple(checksum.arrival for checksum in fitting if checksum is not None)


def judge(
    arrivals: Sequence[Arrival],
    checksums: Sequence[Checksum],
    unreadable: Sequence[Arrival],
    digest_of: DigestOf,
    is_required: bool = False,
) -> Judgement:
    """Hold every file against the checksums that speak of it.

    Args:
        arrivals: every version of every file that ever arrived, checksum files not among them.
        checksums: what every version of every checksum file says.
        unreadable: versions of checksum files that could not be read; what they may speak of waits.
        digest_of: hash of an arrival's bytes, lower-case hexadecimal.
        is_required: whether a file without a checksum waits for one; then a late one speaks of it too.

    Returns:
        A verdict on every arrival, and what the newest checksum files say of files, or versions of them, that are not
        there; the same for any order of the arguments.
    """
    said: dict[str, list[Checksum]] = {}
    for checksum in sorted(checksums, key=lambda item: _order(item.arrival)):
        said.setdefault(checksum.file, []).append(checksum)
    history = _History([*(item.arrival for item in checksums), *unreadable], is_required)
    versions: dict[str, list[Arrival]] = {}
    for arrival in sorted(arrivals, key=_order):
        versions.setdefault(arrival.name, []).append(arrival)
    found: dict[Arrival, Verdict] = {}
    heard: set[Checksum] = set()
    for name, own in versions.items():
        fits = [[item for item in said.get(name, ()) if _fits(item, version, digest_of)] for version in own]
        heard.update(item for fitting in fits for item in fitting)
        for index, version in enumerate(own):
            if fits[index]:
                found[version] = Verdict(fitting=fits[index][0])
                continue
            following = own[index + 1] if index + 1 < len(own) else None
            of_newer = {item for later in fits[index + 1 :] for item in later}
            against = [
                item
                for item in said.get(name, ())
                if item not in of_newer and history.speaks_of(item.arrival, version, following)
            ]
            unread = [
                item for item in unreadable if may_speak_of(item, name) and history.speaks_of(item, version, following)
            ]
            heard.update(against)
            found[version] = _unfit(version, against, unread, digest_of, is_required)
    unheard = [
        item
        for item in checksums
        if item not in heard and history.is_newest(item.arrival) and algorithm_of(item.file) is None
    ]
    return Judgement(found, is_required, tuple(sorted(unheard, key=lambda item: (item.arrival.name, item.file))))


def _fits(checksum: Checksum, version: Arrival, digest_of: DigestOf) -> bool:
    try:
        return digest_of(version, checksum.algorithm) == checksum.digest
    except BadInput:
        # Its archived bytes are missing or changed; conversion says so.
        return False


def _unfit(
    version: Arrival,
    against: Sequence[Checksum],
    unread: Sequence[Arrival],
    digest_of: DigestOf,
    is_required: bool,
) -> Verdict:
    if against:
        expected = against[-1]
        try:
            digest = digest_of(version, expected.algorithm)
        except BadInput as error:
            return Verdict(refused=error)
        reason = (
            f"its {TITLES[expected.algorithm]} is {digest}, not {expected.digest} as {expected.arrival.name} says:"
            " it was damaged on its way, or is another file"
        )
        return Verdict(refused=BadInput(version.name, reason))
    if unread:
        return Verdict(waits_for=f"its checksum file {unread[-1].name} cannot be read")
    return Verdict(waits_for="no checksum of it has arrived, which billing.toml requires" if is_required else None)


class _History:
    """When each version of each checksum file was in force."""

    def __init__(self, checksum_files: Iterable[Arrival], is_required: bool) -> None:
        self._is_required = is_required
        self._replaced_by: dict[Arrival, Arrival] = {}
        ordered = sorted(set(checksum_files), key=_order)
        last: dict[str, Arrival] = {}
        for arrival in ordered:
            if arrival.name in last:
                self._replaced_by[last[arrival.name]] = arrival
            last[arrival.name] = arrival

    def is_newest(self, checksum: Arrival) -> bool:
        """Tell whether no later version of a checksum file has replaced this one."""
        return checksum not in self._replaced_by

    def speaks_of(self, checksum: Arrival, version: Arrival, following: Arrival | None) -> bool:
        """Tell whether a version of a checksum file was in force while a version of its file was the newest.

        Args:
            following: the next version of the file.
        """
        replaced_by = self._replaced_by.get(checksum)
        if replaced_by is not None and _order(replaced_by) <= _order(version):
            return False
        if following is not None and _order(following) <= _order(checksum):
            return False
        return self._is_required or checksum.received_at <= version.received_at + _SPEAKS_OF_THE_PAST


def _order(arrival: Arrival) -> tuple[datetime, datetime, str]:
    return (arrival.received_at, arrival.modified_at, arrival.sha256)
