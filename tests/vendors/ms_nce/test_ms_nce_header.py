"""A new-commerce reconciliation is told by its columns, however they are spelled, and nothing else is taken for one."""

from pathlib import Path

import pytest

from billing_pipeline.errors import BadInput
from billing_pipeline.samples.microsoft_columns import DAILY_COLUMNS, NCE_COLUMNS
from billing_pipeline.vendors.header import match_header
from billing_pipeline.vendors.ms_nce import MS_NCE
from billing_pipeline.vendors.registry import FORMATS, recognise, require_format


def columns(shared_data: Path, name: str) -> list[str]:
    return (shared_data / "columns" / name).read_text().split()


def test_the_published_columns_are_recognised_and_are_those_of_the_samples(shared_data: Path) -> None:
    published = columns(shared_data, "nce_recon.txt")

    assert require_format("ms_nce", published, "f") is MS_NCE
    assert published == list(NCE_COLUMNS)
    found = match_header(MS_NCE, published, "f").positions
    assert set(MS_NCE.columns) - set(found) == {"partner_name", "attributes_object_type"}


@pytest.mark.parametrize("spell", [str.lower, str.upper, lambda text: text[0].lower() + text[1:]])
def test_the_spelling_does_not_matter(spell: "type[str]") -> None:
    assert recognise([spell(name) for name in NCE_COLUMNS]) is MS_NCE


@pytest.mark.parametrize("name", ["azure_mpa_cost_details_2023_12_01.txt", "aws_cur_real_sample_header.txt"])
def test_other_vendors_headers_are_not_taken(name: str, shared_data: Path) -> None:
    assert recognise(columns(shared_data, name)) not in (MS_NCE, FORMATS["ms_daily"])


def test_daily_rated_usage_is_told_apart() -> None:
    with pytest.raises(BadInput, match="this is Microsoft daily rated usage"):
        require_format("ms_nce", DAILY_COLUMNS, "f")
    with pytest.raises(BadInput, match="this is a Microsoft new-commerce reconciliation"):
        require_format("ms_daily", NCE_COLUMNS, "f")


def test_missing_columns_are_all_named() -> None:
    header = [name for name in NCE_COLUMNS if name not in ("Subtotal", "Currency", "PartnerId")]

    with pytest.raises(BadInput, match=r"missing columns of .*: partner_id, subtotal, currency"):
        match_header(require_format("ms_nce", header, "f"), header, "f")
