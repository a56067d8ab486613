"""Keys from business facts."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.identifiers import delivery_id, file_name_of, file_set_sha256

A, B = hashlib.sha256(b"a").hexdigest(), hashlib.sha256(b"b").hexdigest()


def test_one_file_is_its_own_hash_and_several_hash_alike_in_any_order() -> None:
    assert file_set_sha256([A]) == A
    assert file_set_sha256([A, B]) == file_set_sha256([B, A])
    assert file_set_sha256([A, B]) not in {A, B}


def test_a_delivery_is_named_after_source_account_period_and_content() -> None:
    assert delivery_id("aws", "0001", "2026-10", A) == f"aws/0001/2026-10/{A[:12]}"


def test_a_safe_name_stays_and_an_unsafe_one_keeps_what_tells_it_apart() -> None:
    assert file_name_of("INV-2026_1.pdf") == "INV-2026_1.pdf"
    assert file_name_of("a/b") != file_name_of("a:b")
    assert file_name_of("../../etc/passwd").startswith("etc_passwd_")


@given(st.text(max_size=200))
def test_any_identifier_is_one_safe_file_name(identifier: str) -> None:
    name = file_name_of(identifier)
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")
    assert len(name) <= 89


@given(st.lists(st.text(max_size=20), unique=True, max_size=10))
def test_different_identifiers_never_share_a_file(identifiers: list[str]) -> None:
    assert len({file_name_of(identifier) for identifier in identifiers}) == len(identifiers)
