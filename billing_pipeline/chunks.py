"""The file that a manifest's key means, among all versions of all files that arrived.

What does not belong here: which assembly is in force (`deliveries`).
"""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from billing_pipeline.checksum_verdicts import Judgement
from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival, Manifest


class NotYet(BadInput):
    """A chunk is here and may not be taken yet."""


def find_chunk(
    manifest: Manifest,
    key: str,
    versions: Mapping[str, Sequence[Arrival]],
    claims: Mapping[Arrival, str],
    judgement: Judgement,
) -> Arrival:
    """Return the file that a manifest's key means: the longest tail of the key found at or above the manifest.

    Where each assembly overwrites the chunks of the one before (AWS: "overwrite existing report"), a version that an
    earlier assembly has is never part of a later one: it is merely not overwritten yet.

    Args:
        versions: every version of every file by its name, in order of arrival.
        claims: the assembly that a version of a chunk belongs to.
        judgement: what checksum files say of the versions.

    Raises:
        NotYet: it waits for its checksum.
        BadInput: it is not there, another assembly's, of another size than stated, or not what its checksum says.
    """
    folder = PurePosixPath(manifest.arrival.name).parent
    tail = PurePosixPath(key).parts
    for length in range(len(tail), 0, -1):
        ancestors = [folder] if length == 1 else [folder, *folder.parents]
        for ancestor in ancestors:
            found = versions.get(str(ancestor.joinpath(*tail[-length:])))
            if found:
                own = [file for file in found if claims.get(file, manifest.assembly_id) == manifest.assembly_id]
                if not own:
                    reason = f"a chunk that the manifest lists is still that of assembly {claims[found[-1]]}"
                    raise BadInput(manifest.arrival.name, reason, column=manifest.keys_name, value=key)
                fit = _unharmed(manifest, key, _of_stated_size(manifest, key, own), judgement)
                known = [file for file in fit if file.received_at <= manifest.arrival.received_at]
                return known[-1] if known else fit[0]
    reason = "a chunk that the manifest lists is not here"
    raise BadInput(manifest.arrival.name, reason, column=manifest.keys_name, value=key)


def _of_stated_size(manifest: Manifest, key: str, versions: Sequence[Arrival]) -> list[Arrival]:
    size = manifest.sizes.get(key)
    fitting = [file for file in versions if size is None or file.size == size]
    if not fitting:
        reason = f"{versions[-1].name} has {versions[-1].size} bytes, the manifest says {size}"
        raise BadInput(manifest.arrival.name, reason, column="byteCount", value=key)
    return fitting


def _unharmed(manifest: Manifest, key: str, versions: Sequence[Arrival], judgement: Judgement) -> Sequence[Arrival]:
    """Return the versions of a chunk against which no checksum speaks.

    None that was overwritten before the manifest came by one that is not taken: it may be of an earlier assembly.

    Raises:
        NotYet: there is none, and the last waits for its checksum.
        BadInput: there is none.
    """
    fit: list[Arrival] = []
    for file in versions:
        verdict = judgement.verdict(file)
        if verdict.is_held_back and file.received_at <= manifest.arrival.received_at:
            fit = []
        elif not verdict.is_held_back:
            fit.append(file)
    if fit:
        return fit
    name, verdict = versions[-1].name, judgement.verdict(versions[-1])
    if verdict.refused is None and verdict.waits_for is not None:
        reason = f"of its chunk {name}: {verdict.waits_for}"
        raise NotYet(manifest.arrival.name, reason, column=manifest.keys_name, value=key)
    reason = f"{name}, a chunk that the manifest lists, does not match its checksum"
    raise BadInput(manifest.arrival.name, reason, column=manifest.keys_name, value=key)
