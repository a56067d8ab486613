"""The page of reference columns and the specification's list of them agree with the declaration."""

from pathlib import Path

import pytest

from billing_pipeline.reference_documentation import reference_markdown
from billing_pipeline.schemas.reference import REFERENCE_FILES
from billing_pipeline.schemas.reference_file import ReferenceFile

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference.md"


def test_the_page_is_the_one_made_from_the_declaration() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_markdown(), (
        "run: python -m billing_pipeline.reference_documentation > docs/reference.md"
    )


@pytest.mark.parametrize("file", REFERENCE_FILES, ids=lambda file: file.name)
def test_every_declaration_speaks_only_of_its_own_columns(file: ReferenceFile) -> None:
    names = set(file.column_names)
    assert len(names) == len(file.columns)
    assert {name for key in file.unique for name in key.columns} <= names | {"recorded_at"}
    assert set(file.overlap_key) <= names
    if file.tiers:
        tiers = file.tiers
        assert {*tiers.key, tiers.lower, tiers.upper, *tiers.one_value, *tiers.agree} <= names
    for case in file.cases:
        assert {case.column, *case.needs, *case.needs_one_of, *case.forbids} <= names
        assert case.value in file.column(case.column).choices


@pytest.mark.parametrize("file", REFERENCE_FILES, ids=lambda file: file.name)
def test_every_column_has_one_sentence_and_every_required_one_an_example(file: ReferenceFile) -> None:
    for column in file.columns:
        assert column.meaning.endswith("."), column.name
        assert column.example or not column.filled, column.name
        assert not column.choices or column.kind == "choice", column.name
        assert column.required or not column.filled, column.name


@pytest.mark.parametrize("file", REFERENCE_FILES, ids=lambda file: file.name)
def test_every_term_has_the_three_columns_of_a_term(file: ReferenceFile) -> None:
    if file.overlap_key:
        assert {"valid_from", "valid_to", "recorded_at"} <= set(file.column_names)
