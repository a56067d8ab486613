"""The 515 strings that break software, as names, tags, ids and descriptions, survive from the file to the warehouse.

What a carrier cannot hold at all is refused with a reason, never changed: see the last tests.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from billing_pipeline.cli.jobs import open_jobs
from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.cells import ABSENT
from resources.workspace import Workspace
from tests.faults.test_broken_files import with_member
from tests.vendor_files import AWS, FOCUS, INVOICE, convert_bytes
from tests.vendors.gcp_reseller import gcp_files
from tests.workspaces import drop, make_workspace, query

DAY = date(2025, 11, 25)
Row = Mapping[str, str]


@dataclass(frozen=True)
class Carrier:
    """A format in a carrier.

    Attributes:
        texts: the file's columns that hold the string, by the canonical column in which it must arrive.
        row: the rest of a row, for the row's number.
        write: rows to bytes.
        tags: the file's column of tags, if the format has any.
    """

    file_format: str
    suffix: str
    texts: Mapping[str, str]
    row: Callable[[int], Row]
    write: Callable[[Sequence[Row]], bytes]
    tags: str | None = None

    def file(self, strings: Sequence[str]) -> bytes:
        rows = []
        for number, text in enumerate(strings, start=1):
            tags = {} if self.tags is None else {self.tags: self.tag(text)}
            rows.append({**self.row(number), **dict.fromkeys(self.texts.values(), text), **tags})
        return self.write(rows)

    def tag(self, text: str) -> str:
        """The cell of tags: AWS has a column per key, FOCUS an object whose key may be naughty too."""
        if self.file_format == "aws_cur":
            return text
        return json.dumps({"text": text, text: "key"}, ensure_ascii=False)


def as_csv(rows: Sequence[Row]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def as_gzip(rows: Sequence[Row]) -> bytes:
    return gzip.compress(as_csv(rows), mtime=0)


def as_parquet(rows: Sequence[Row]) -> bytes:
    pl.DataFrame(rows).write_parquet(buffer := io.BytesIO())
    return buffer.getvalue()


def as_invoice_json(rows: Sequence[Row]) -> bytes:
    header = list(INVOICE)[: list(INVOICE).index("line_number")]
    items = [{name: text for name, text in row.items() if name not in header} for row in rows]
    return json.dumps({"invoices": [{**{name: rows[0][name] for name in header}, "items": items}]}).encode()


def as_xlsx(rows: Sequence[Row]) -> bytes:
    book = xlsxwriter.Workbook(buffer := io.BytesIO(), {"in_memory": True})
    sheet = book.add_worksheet()
    for index, cells in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
        for column, text in enumerate(cells):
            sheet.write_string(index, column, text)
    book.close()
    return buffer.getvalue()


def as_json_lines(rows: Sequence[Row]) -> bytes:
    """Google's nested rows, packed."""
    nested = []
    for row in rows:
        labels = [{"key": key, "value": value} for key, value in json.loads(row["labels"]).items()]
        nested.append(gcp_files.changed({**row, "labels": labels}))
    return gzip.compress(gcp_files.json_lines(*nested), mtime=0)


FOCUS_TEXTS = {
    "sub_account_id": "SubAccountId", "sub_account_name": "SubAccountName", "sku_id": "SkuId",
    "resource_id": "ResourceId", "service_name": "ServiceName", "charge_description": "ChargeDescription",
}  # fmt: skip
AWS_TEXTS = {
    "sub_account_id": "lineItem/UsageAccountId", "sku_id": "product/sku", "resource_id": "lineItem/ResourceId",
    "service_name": "product/ProductName", "charge_description": "lineItem/LineItemDescription",
}  # fmt: skip
INVOICE_TEXTS = {
    "sub_account_id": "customer_id", "sub_account_name": "customer_name", "sku_id": "product_id",
    "service_name": "product_name", "service_category": "product_type", "charge_description": "description",
    "x_order_id": "order_id", "pricing_unit": "unit",
}  # fmt: skip
GCP_TEXTS = {
    "sub_account_name": "customer_name", "sku_id": "sku.id", "service_name": "service.description",
    "charge_description": "sku.description",
}  # fmt: skip


def focus_row(_: int) -> Row:
    return FOCUS


def aws_row(number: int) -> Row:
    return {**AWS, "identity/LineItemId": str(number), "bill/InvoiceId": "V-1"}


def invoice_row(number: int) -> Row:
    return {**INVOICE, "line_number": str(number), "quantity": "0", "net_total": "0"}


def gcp_row(_: int) -> Row:
    return {}


CARRIERS = {
    "focus-csv": Carrier("focus", "csv", FOCUS_TEXTS, focus_row, as_csv, "Tags"),
    "focus-gz": Carrier("focus", "csv.gz", FOCUS_TEXTS, focus_row, as_gzip, "Tags"),
    "focus-parquet": Carrier("focus", "parquet", FOCUS_TEXTS, focus_row, as_parquet, "Tags"),
    "aws-csv": Carrier("aws_cur", "csv", AWS_TEXTS, aws_row, as_csv, "resourceTags/user:Name"),
    "aws-gz": Carrier("aws_cur", "csv.gz", AWS_TEXTS, aws_row, as_gzip, "resourceTags/user:Name"),
    "aws-parquet": Carrier("aws_cur", "parquet", AWS_TEXTS, aws_row, as_parquet, "resourceTags/user:Name"),
    "invoice-csv": Carrier("distributor_invoice", "csv", INVOICE_TEXTS, invoice_row, as_csv),
    "invoice-json": Carrier("distributor_invoice", "json", INVOICE_TEXTS, invoice_row, as_invoice_json),
    "invoice-xlsx": Carrier("distributor_invoice", "xlsx", INVOICE_TEXTS, invoice_row, as_xlsx),
    "gcp-jsonl": Carrier("gcp_reseller", "jsonl.gz", GCP_TEXTS, gcp_row, as_json_lines, "labels"),
}


# XML has no U+FFFE. Who writes workbooks escapes it as Excel does, and the reader undoes the escapes of control
# characters only; to undo this one too would change a text that says `_xFFFE_`.
SPELLED_OUT = {("xlsx", "\ufffe"): "_xFFFE_"}


@pytest.fixture(scope="module")
def strings(shared_data: Path) -> list[str]:
    """All of them but the three that every vendor writes for "nothing here"."""
    found = json.loads((shared_data / "text" / "naughty_strings.json").read_text("utf-8"))
    assert len(found) == 515
    return [text for text in found if text not in ABSENT]


@pytest.fixture(scope="module")
def warehouse(strings: list[str], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A warehouse that a run published from one file of each carrier."""
    workspace = make_workspace(tmp_path_factory.mktemp("naughty") / "home")
    text = workspace.config_file.read_text()
    for name, carrier in CARRIERS.items():
        text += f'[[sources]]\nid = "{name}"\nformat = "{carrier.file_format}"\nvendor = "Vendor"\n'
        drop(workspace, f"{name}/received={DAY}/file.{carrier.suffix}", carrier.file(strings))
    workspace.config_file.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        with open_jobs(workspace) as jobs:
            jobs.run_days([DAY], [DAY], publish=True)
    assert query(workspace, "select file_name, reason from quarantine") == []
    return workspace


@pytest.mark.parametrize("name", CARRIERS)
def test_every_string_survives_in_every_column(name: str, strings: list[str], warehouse: Workspace) -> None:
    carrier = CARRIERS[name]
    columns = ", ".join(carrier.texts)
    rows = query(warehouse, f"select {columns} from vendor_charges where source = '{name}' order by row_number")
    assert len(rows) == len(strings)
    strings = [SPELLED_OUT.get((carrier.suffix, text), text) for text in strings]
    changed = [
        (column, text, cell)
        for text, cells in zip(strings, rows, strict=True)
        for column, cell in zip(carrier.texts, cells, strict=True)
        if cell != text
    ]
    assert changed == []


@pytest.mark.parametrize("name", [name for name, carrier in CARRIERS.items() if carrier.tags])
def test_every_string_survives_as_a_tag(name: str, strings: list[str], warehouse: Workspace) -> None:
    found = [
        json.loads(tags)
        for (tags,) in query(warehouse, f"select tags from vendor_charges where source = '{name}' order by row_number")
    ]
    if name.startswith("aws"):
        assert [list(tags.values()) for tags in found] == [[text] for text in strings]
    else:
        assert found == [{"text": text, text: "key"} for text in strings]


@pytest.mark.parametrize("text", ABSENT)
@pytest.mark.parametrize("name", ["focus-csv", "focus-gz", "focus-parquet"])
def test_what_every_vendor_writes_for_nothing_is_null(name: str, text: str, tmp_path: Path) -> None:
    carrier = CARRIERS[name]
    rows = convert_bytes("focus", tmp_path, carrier.file(["x", text]), f"in.{carrier.suffix}")
    assert [rows[column][1] for column in carrier.texts] == [None] * len(carrier.texts)


def refused(carrier: Carrier, folder: Path, content: bytes) -> BadInput:
    with pytest.raises(BadInput) as caught:
        convert_bytes(carrier.file_format, folder, content, f"in.{carrier.suffix}")
    return caught.value


@pytest.mark.parametrize("name", CARRIERS)
def test_a_zero_byte_survives_or_is_refused(name: str, tmp_path: Path) -> None:
    carrier = CARRIERS[name]
    text = "a\x00b"
    try:
        rows = convert_bytes(carrier.file_format, tmp_path, carrier.file([text]), f"in.{carrier.suffix}")
    except BadInput:
        return
    assert {rows[column][0] for column in carrier.texts} == {text}


@pytest.mark.parametrize("name", ["invoice-json", "gcp-jsonl"])
def test_half_a_surrogate_pair_is_refused_where_a_carrier_can_spell_it(name: str, tmp_path: Path) -> None:
    """Only JSON's escapes can: the other carriers are UTF-8, which has none."""
    carrier = CARRIERS[name]
    content = carrier.file(["HALF"])
    plain = gzip.decompress(content) if carrier.suffix.endswith("gz") else content
    broken = plain.replace(b"HALF", b"\\ud800")
    error = refused(carrier, tmp_path, gzip.compress(broken) if carrier.suffix.endswith("gz") else broken)
    assert "Unicode" in error.reason


@pytest.mark.parametrize("name", ["focus-csv", "focus-gz", "invoice-csv"])
def test_bytes_that_are_no_utf8_are_refused(name: str, tmp_path: Path) -> None:
    carrier = CARRIERS[name]
    content = carrier.file(["HALF"])
    plain = gzip.decompress(content) if carrier.suffix.endswith("gz") else content
    broken = plain.replace(b"HALF", b"\xed\xa0\x80")
    error = refused(carrier, tmp_path, gzip.compress(broken) if carrier.suffix.endswith("gz") else broken)
    assert error.reason == "the file is not UTF-8"


@pytest.mark.parametrize("reference", ["&#1;", "&#0;", "&#xFFFE;", "&#xD800;"])
def test_a_workbook_with_a_character_that_xml_has_not_is_refused_or_keeps_it(reference: str, tmp_path: Path) -> None:
    """XML 1.0 has no control characters: whoever writes them escapes them as `_x0001_`, as Excel does."""
    carrier = CARRIERS["invoice-xlsx"]
    book = with_member(
        carrier.file(["HALF"]), "xl/sharedStrings.xml",
        _member(carrier.file(["HALF"]), "xl/sharedStrings.xml").replace(b"HALF", f"HALF{reference}".encode()),
    )  # fmt: skip
    try:
        rows = convert_bytes("distributor_invoice", tmp_path, book, "in.xlsx")
    except BadInput:
        return
    assert rows["charge_description"][0] == f"HALF{chr(int(reference.strip('&#;x'), 16 if 'x' in reference else 10))}"


def _member(book: bytes, name: str) -> bytes:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return archive.read(name)
