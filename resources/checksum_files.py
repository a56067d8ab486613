"""The checksum files of a source, read from the archive.

What does not belong here: what they may say (`billing_pipeline.checksums`), of what they speak
(`billing_pipeline.checksum_verdicts`).
"""

from collections.abc import Sequence

from billing_pipeline.checksums import Checksum, algorithm_of, read_checksums
from billing_pipeline.deliveries import Arrival, Refused
from billing_pipeline.errors import BadInput
from resources.archive import Archive

# Manifests and checksum files are read here, not in a child: a report of 10,000 chunks lists them in 2 MB.
MOST_LIST_BYTES = 8 << 20


def read_checksum_files(arrivals: Sequence[Arrival], archive: Archive) -> tuple[list[Checksum], list[Refused]]:
    """Read the checksum files among the arrivals of a source.

    Returns:
        What they say, and those that cannot be read.
    """
    checksums: list[Checksum] = []
    refused: list[Refused] = []
    for arrival in arrivals:
        if algorithm_of(arrival.name) is not None:
            try:
                checksums += read_checksums(arrival, read_list(arrival, archive, "a list of checksums"))
            except BadInput as error:
                refused.append(Refused(arrival, error))
    return checksums, refused


def read_list(arrival: Arrival, archive: Archive, title: str) -> bytes:
    """Return the bytes of a file that lists others.

    Args:
        title: what it is, for the message.

    Raises:
        BadInput: it is too large to be one, or its archived bytes are missing or changed.
    """
    if arrival.size > MOST_LIST_BYTES:
        raise BadInput(arrival.name, f"{title} has {arrival.size >> 20} MB, far more than any list of files needs")
    return archive.verified(arrival).read_bytes()
