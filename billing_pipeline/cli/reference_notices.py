"""What commands say when the reference files cannot be used as they stand, and an older set prices instead."""

from datetime import timedelta

from billing_pipeline.cli.output import complain
from billing_pipeline.errors import ReferenceInvalid
from resources.reference_files import load_reference
from resources.workspace import Workspace


def take_reference(workspace: Workspace) -> list[str]:
    """Take the reference files into use where they are new, and say on stderr what keeps them from it.

    Returns:
        What a summary must repeat: one sentence where an older set stays in force, none where all is well. Where there
        never was a good set, none either: the first step that needs it fails and says why.
    """
    zone = workspace.load_config().organisation.zone
    try:
        reference = load_reference(workspace.home, zone)
    except ReferenceInvalid:
        return []
    if not reference.refused:
        return []
    for problem in reference.refused:
        complain(problem)
    assert reference.taken_at is not None
    # Rounded up: as of the second that is read here, the set was in force.
    in_force = (reference.taken_at + timedelta(seconds=1)).astimezone(zone).isoformat(timespec="seconds")
    sentence = (
        f"the reference files have {_counted(len(reference.refused))} and were refused, all of them; the set taken into"
        f" use at {in_force} stays in force"
    )
    complain(sentence)
    return [sentence]


def _counted(problems: int) -> str:
    return "1 problem" if problems == 1 else f"{problems} problems"
