"""Of which version of a file a checksum speaks, whatever the order in which both arrive."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from billing_pipeline.checksum_verdicts import Judgement, judge
from billing_pipeline.checksums import Algorithm, Checksum
from billing_pipeline.errors import BadInput
from billing_pipeline.manifests import Arrival

START = datetime(2026, 11, 5, 12, tzinfo=UTC)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def file(content: str, hours: float = 0, name: str = "a.csv") -> Arrival:
    return Arrival("s", name, f"sha of {content}", 1, at(hours), at(hours))


def checksum(content: str, hours: float = 0, name: str = "a.csv.sha256", of: str = "a.csv") -> Checksum:
    return Checksum(
        Arrival("s", name, f"list of {content}", 1, at(hours), at(hours)), of, "sha256", f"sha of {content}"
    )


def digest_of(arrival: Arrival, algorithm: Algorithm) -> str:
    return arrival.sha256 if algorithm == "sha256" else f"md5 of {arrival.sha256}"


def judged(
    files: list[Arrival], checksums: list[Checksum], unreadable: tuple[Arrival, ...] = (), is_required: bool = False
) -> Judgement:
    found = judge(files, checksums, unreadable, digest_of, is_required)
    for seed in range(3):
        shuffled = [random.Random(seed).sample(items, len(items)) for items in (files, checksums, list(unreadable))]
        assert judge(*shuffled, digest_of, is_required) == found
    return found


def states(found: Judgement) -> dict[str, str]:
    """State of each version by its content."""
    return {
        arrival.sha256.removeprefix("sha of "): (
            "refused" if verdict.refused else "waits" if verdict.waits_for else "fits" if verdict.fitting else "taken"
        )
        for arrival, verdict in found.verdicts.items()
    }


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_a_file_is_held_against_its_checksum_whichever_came_first(hours: float) -> None:
    assert states(judged([file("1")], [checksum("1", hours)])) == {"1": "fits"}
    assert states(judged([file("x")], [checksum("1", hours)])) == {"x": "refused"}


def test_a_refusal_names_what_was_expected_and_what_was_found() -> None:
    [verdict] = judged([file("x")], [checksum("1")]).verdicts.values()
    assert verdict.refused is not None
    assert verdict.refused.file == "a.csv"
    assert "its SHA-256 is sha of x, not sha of 1 as a.csv.sha256 says" in verdict.refused.reason


def test_a_file_without_a_checksum_is_taken_unless_one_is_required() -> None:
    assert states(judged([file("1")], [])) == {"1": "taken"}
    assert states(judged([file("1")], [], is_required=True)) == {"1": "waits"}


def test_a_version_that_was_damaged_after_a_good_one_is_refused() -> None:
    assert states(judged([file("1"), file("x", 5)], [checksum("1", 1)])) == {"1": "fits", "x": "refused"}


@pytest.mark.parametrize("hours", [4, 6])
def test_each_version_has_its_own_checksum_whichever_is_overwritten_first(hours: float) -> None:
    found = judged([file("1"), file("2", 5)], [checksum("1", 0.5), checksum("2", hours)])
    assert states(found) == {"1": "fits", "2": "fits"}


def test_a_day_keeps_what_it_took_when_the_next_version_gets_a_checksum() -> None:
    """The checksum comes first: until the new file is there, it does not fit the old one."""
    for files in ([file("1")], [file("1"), file("2", 25)], [file("1"), file("x", 25)]):
        found = judged(files, [checksum("2", 24.5)])
        assert states(found)["1"] == "taken"
    assert states(found) == {"1": "taken", "x": "refused"}


def test_a_late_checksum_counts_where_nothing_is_taken_without_one() -> None:
    assert states(judged([file("x")], [checksum("1", 48)], is_required=True)) == {"x": "refused"}
    assert states(judged([file("1")], [checksum("1", 48)], is_required=True)) == {"1": "fits"}


def test_a_corrected_checksum_lets_its_file_in() -> None:
    assert states(judged([file("1")], [checksum("typo", 1), checksum("1", 2)])) == {"1": "fits"}


def test_one_fitting_checksum_is_enough_where_a_list_was_not_made_anew() -> None:
    listed = checksum("1", 0, name="SHA256SUMS")
    assert states(judged([file("2", 5)], [listed, checksum("2", 5)])) == {"2": "fits"}
    assert states(judged([file("2", 5)], [listed])) == {"2": "refused"}


def test_a_list_that_no_longer_names_a_file_says_nothing_of_its_next_version() -> None:
    old = checksum("1", 0, name="SHA256SUMS")
    new = checksum("b", 4, name="SHA256SUMS", of="b.csv")
    assert states(judged([file("2", 5)], [old, new])) == {"2": "taken"}


def test_a_file_waits_for_a_checksum_file_that_cannot_be_read() -> None:
    broken = Arrival("s", "a.csv.sha256", "broken", 1, at(1), at(1))
    found = judged([file("1")], [], (broken,))
    assert [verdict.waits_for for verdict in found.verdicts.values()] == [
        "its checksum file a.csv.sha256 cannot be read"
    ]
    assert states(judged([file("1")], [checksum("1", 2)], (broken,))) == {"1": "fits"}
    assert states(judged([file("1", name="b.csv")], [], (broken,))) == {"1": "taken"}


def test_a_checksum_of_a_file_that_is_not_there_is_unheard() -> None:
    found = judged([file("1")], [checksum("1"), checksum("2", name="b.csv.sha256", of="b.csv")])
    assert [item.file for item in found.unheard] == ["b.csv"]


def test_a_checksum_of_another_version_than_is_there_is_unheard_until_that_comes() -> None:
    late = checksum("2", 48)
    assert judged([file("1")], [late]).unheard == (late,)
    assert judged([file("1"), file("2", 49)], [late]).unheard == ()


def test_a_checksum_that_was_replaced_waits_for_nothing() -> None:
    assert judged([file("1", 5)], [checksum("old"), checksum("1", 4)]).unheard == ()


def test_a_list_may_name_checksum_files() -> None:
    assert judged([], [checksum("1", name="SHA256SUMS", of="a.csv.md5")]).unheard == ()


def test_bytes_that_the_archive_lost_are_refused() -> None:
    def missing(arrival: Arrival, _: Algorithm) -> str:
        raise BadInput(arrival.name, "its bytes are missing")

    [verdict] = judge([file("1")], [checksum("1")], (), missing).verdicts.values()
    assert verdict.refused == BadInput("a.csv", "its bytes are missing")


def test_only_required_checksums_are_pieces_of_a_delivery() -> None:
    for is_required in (True, False):
        found = judged([file("1")], [checksum("1", 3), checksum("1", 2, name="SHA256SUMS")], is_required=is_required)
        assert [item.name for item in found.needed_for([file("1")])] == (["SHA256SUMS"] if is_required else [])
