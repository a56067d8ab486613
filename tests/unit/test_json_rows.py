"""JSON Lines: exact numbers, flat paths, row numbers, and refusals that name the row."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.registry import FORMATS
from resources import carriers, json_rows
from resources.carriers import LandedFile, carrier_of, read_chunks, sha256_of
from resources.json_pages import open_pages
from resources.json_rows import JsonRows, open_json_lines, parse_json


def rows_of(*chunks: bytes, whole: frozenset[str] = frozenset()) -> list[dict[str, str]]:
    return [row for block in open_json_lines(chunks, "f", whole).blocks for row in block]


def refused(work: Callable[[], object]) -> BadInput:
    with pytest.raises(BadInput) as caught:
        work()
    return caught.value


def landed(folder: Path, name: str, content: bytes) -> LandedFile:
    path = folder / name
    path.write_bytes(content)
    return LandedFile(name, path, sha256_of(path))


def test_numbers_keep_the_digits_of_the_file() -> None:
    line = b'{"a": 0.30000000000000004441, "b": 1E-7, "c": 12345678901234567890123, "d": -0.0, "e": "007"}'

    assert rows_of(line) == [
        {"a": "0.30000000000000004441", "b": "1E-7", "c": "12345678901234567890123", "d": "-0.0", "e": "007"}
    ]


def test_null_and_booleans_are_text_and_a_missing_member_is_missing() -> None:
    assert rows_of(b'{"a": null, "b": true, "c": false}\n{"b": "x"}\n') == [
        {"a": "", "b": "true", "c": "false"},
        {"b": "x"},
    ]


def test_nested_members_become_paths_and_lists_stay_json_with_exact_numbers() -> None:
    (row,) = rows_of(b'{"usage": {"amount": 1.50, "unit": "s"}, "credits": [{"amount": -0.10, "name": "\xc3\xa9"}]}')

    assert row == {"usage.amount": "1.50", "usage.unit": "s", "credits": '[{"amount": "-0.10", "name": "é"}]'}


def test_a_free_form_object_can_stay_whole() -> None:
    (row,) = rows_of(b'{"Tags": {"env": "prod"}, "a": {"tags": {"x": 1}}}', whole=frozenset({"tags"}))

    assert row == {"Tags": '{"env": "prod"}', "a.tags.x": "1"}


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_rows_do_not_depend_on_where_chunks_end(size: int) -> None:
    content = "".join(f'{{"n": {number}, "t": "é\\n"}}\r\n' for number in range(50)).encode()
    chunks = [b"\xef\xbb\xbf" + content[:1], *(content[at : at + size] for at in range(1, len(content), size))]

    assert [row["n"] for row in rows_of(*chunks)] == [str(number) for number in range(50)]


def test_the_header_lists_each_column_once_however_it_is_spelled() -> None:
    assert open_json_lines([b'{"UsageDate": 1}\n{"usageDate": 2, "b": 3}\n'], "f").header == ["UsageDate", "b"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "no valid JSON"),
        (b'{"a": 1} {"a": 2}', "no valid JSON"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": Infinity}', "Infinity is no number"),
        (b'{"a": 1, "b": 2, "a": 3}', "'a' appears twice"),
        (b'{"x": {"a": 1, "a": 1}}', "'a' appears twice"),
        (b'{"a": {"b": 1}, "a.b": 2}', "path 'a.b'"),
        (b"[1, 2]", "no JSON object"),
        (b'"text"', "no JSON object"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": ' + b"[" * 100_000, "no valid JSON"),
    ],
)
def test_a_bad_line_is_named_by_its_row(line: bytes, reason: str) -> None:
    error = refused(lambda: rows_of(b'{"a": 0}\n\n{"a": 0}\n' + line + b"\n"))

    assert (error.file, error.row) == ("f", 3)
    assert reason in error.reason


def test_a_file_without_rows_is_refused() -> None:
    assert refused(lambda: rows_of(b"\n  \n")).reason == "the file has no rows"


def test_a_file_that_is_one_endless_line_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_rows, "MAX_LINE_BYTES", 1000)

    assert "a line is longer" in refused(lambda: rows_of(*[b'{"a": "' + b"x" * 100] * 20)).reason


@pytest.mark.parametrize("name", ["a.jsonl.gz", "part-00049-b0.c000.json.gz"])
def test_packed_json_lines_are_told_by_their_name(name: str, tmp_path: Path) -> None:
    file = landed(tmp_path, name, gzip.compress(b'{"a": 1}\n'))

    assert carrier_of(file) == "jsonl.gz"
    assert b"".join(read_chunks(file, "jsonl.gz")) == b'{"a": 1}\n'


@pytest.mark.parametrize("damage", ["crc", "cut", "garbage", "bomb"])
def test_damage_of_a_packed_file_is_found(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = gzip.compress(b'{"a": 1}\n' * 5000)
    if damage == "bomb":
        monkeypatch.setattr(carriers, "BOMB_BYTES", 1000)
        monkeypatch.setattr(carriers, "BOMB_RATIO", 10)
    bad = {"crc": content[:-8] + b"\0\0\0\0" + content[-4:], "cut": content[:-9], "garbage": content + b"x"}
    file = landed(tmp_path, "a.jsonl.gz", bad.get(damage, content))

    reason = refused(lambda: rows_of(*read_chunks(file, "jsonl.gz"))).reason
    assert any(word in reason for word in ("corrupt", "truncated", "bomb"))


def pages_of(folder: Path, document: object) -> JsonRows:
    return open_pages(landed(folder, "a.json", json.dumps(document).encode()), FORMATS["gcp_reseller"])


def test_the_items_of_all_pages_are_rows_in_their_order(tmp_path: Path) -> None:
    rows = pages_of(tmp_path, [{"items": [{"a": 1}, {"a": 2}], "links": {"next": {}}}, {"items": [{"a": 3}]}])

    assert [row["a"] for block in rows.blocks for row in block] == ["1", "2", "3"]


def test_one_page_alone_is_a_document_too(tmp_path: Path) -> None:
    assert pages_of(tmp_path, {"totalCount": 1, "items": [{"a": 1}]}).header == ["a"]


def test_a_document_whose_last_page_names_a_next_one_is_not_complete(tmp_path: Path) -> None:
    rows = pages_of(tmp_path, {"items": [{"a": 1}], "links": {"next": {"uri": "/more"}}})

    assert "not complete" in refused(lambda: list(rows.blocks)).reason


@pytest.mark.parametrize("document", [[], {}, 3, {"items": {}}, [{"items": []}, 3]])
def test_what_is_no_page_is_refused(document: object, tmp_path: Path) -> None:
    assert refused(lambda: pages_of(tmp_path, document)).file == "a.json"


def test_repeated_keys_and_large_documents_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twice = landed(tmp_path, "b.json", b'{"items": [{"a": 1, "a": 2}]}')
    assert "'a' appears twice" in refused(lambda: open_pages(twice, FORMATS["gcp_reseller"])).reason

    monkeypatch.setattr("resources.json_pages.MAX_DOCUMENT_BYTES", 10)
    assert "is not taken" in refused(lambda: pages_of(tmp_path, {"items": [{"a": 1}]})).reason


def test_parsing_keeps_numbers_as_their_text() -> None:
    assert parse_json('[1.10, {"a": 1e400}]') == ["1.10", {"a": "1e400"}]
