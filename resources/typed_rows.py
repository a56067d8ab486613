"""From columns of text to columns of the declared types, and to the first offending cell.

Fast path: Arrow reads amounts itself, exactly (it refuses to lose a digit); every other column is a
dictionary, and each distinct text is read once by `billing_pipeline.vendors.cells`. Whenever
anything is wrong, the slow path reads the same rows cell by cell and names the first bad one.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from billing_pipeline.errors import BadInput
from billing_pipeline.vendors.cells import ABSENT, CellInvalid, read_amount, read_cell, round_double
from billing_pipeline.vendors.format import Column, VendorFormat
from billing_pipeline.vendors.header import HeaderMatch
from resources.combinations import combinations

# Distinct texts remembered from batch to batch: a month has 744 hours, but seconds would fill the memory.
MAX_SEEN = 100_000
TEXT_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
_ENUMERATED_TYPES = {
    "integer": pa.int32(),
    "date": pa.date32(),
    "instant": pa.timestamp("us", "UTC"),
    "boolean": pa.bool_(),
    "map": pa.string(),
    "month": pa.date32(),
    "records": pa.string(),
}


class RowsInvalid(Exception):
    """Something in a batch does not fit; the slow path will say what."""


def amount_type(column: Column) -> pa.DataType:
    """Return the exact type of an amount: DECIMAL(38,18), or DECIMAL(28,9) for quantities and prices."""
    return pa.decimal128(38, 18) if column.decimals == 18 else pa.decimal128(28, column.decimals)  # noqa: PLR2004


def read_type(column: Column) -> pa.DataType:
    """Return the type in which a column's cells are first read."""
    if column.kind == "amount":
        return pa.string() if column.is_double else amount_type(column)
    return TEXT_DICTIONARY if column.is_enumerated else pa.string()


@dataclass
class TypedRows:
    """Turns batches of one file's rows into `raw_rows`.

    Attributes:
        file: name for errors.
        vendor_format: the declaration.
        match: where the columns are in this file.
        width: number of columns in the header.
        currency: of the source, used where the file has none.
    """

    file: str
    vendor_format: VendorFormat
    match: HeaderMatch
    width: int
    currency: str | None = None
    _seen: dict[tuple[str, str], object] = field(default_factory=dict)

    @property
    def columns(self) -> Mapping[str, Column]:
        """The declared columns, by their name in `raw_rows`."""
        return self.vendor_format.columns

    @property
    def schema(self) -> pa.Schema:
        """Schema of `raw_rows`: row_number, the declared columns, and tags where the format has them."""
        fields = [pa.field("row_number", pa.int64())]
        fields += [pa.field(name, self._final_type(column)) for name, column in self.columns.items()]
        fields += [pa.field(f"{name}_unrounded", pa.string()) for name in self._doubles]
        if self.vendor_format.has_tag_columns:
            fields.append(pa.field("tags", TEXT_DICTIONARY))
        return pa.schema(fields)

    def _final_type(self, column: Column) -> pa.DataType:
        if column.kind in _ENUMERATED_TYPES:
            return pa.dictionary(pa.int32(), _ENUMERATED_TYPES[column.kind])
        return amount_type(column) if column.kind == "amount" else read_type(column)

    @property
    def _doubles(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.kind == "amount" and column.is_double]

    def batch(
        self, read: Mapping[str, pa.Array], tags: Mapping[str, pa.Array], first_row: int, count: int
    ) -> pa.RecordBatch:
        """Type one batch.

        Args:
            read: columns the file has, as `read_type` says.
            tags: text dictionaries by tag key.
            first_row: row number of the batch's first row.
            count: rows in the batch.

        Raises:
            RowsInvalid: some cell does not fit; call `explain` with the texts of the same rows.
        """
        unrounded = {name: pa.nulls(count, pa.string()) for name in self._doubles}
        arrays: list[pa.Array] = [pl.int_range(first_row, first_row + count, eager=True, dtype=pl.Int64).to_arrow()]
        for name, column in self.columns.items():
            array = read.get(name)
            if column.is_currency and self.currency is not None:
                array = self._fill_currency(array, count)
            if array is not None and name in unrounded:
                array, unrounded[name] = doubles(array, column)
            if array is None:
                if not column.nullable:
                    raise RowsInvalid
                arrays.append(pa.nulls(count, self._final_type(column)))
            else:
                arrays.append(self._typed(name, column, array))
        arrays += unrounded.values()
        if self.vendor_format.has_tag_columns:
            arrays.append(json_tags(tags, count))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _fill_currency(self, array: pa.Array | None, count: int) -> pa.Array:
        if array is None:
            return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([self.currency]))
        if array.null_count == 0:
            return array
        return pc.fill_null(array.cast(pa.string()), self.currency).dictionary_encode()

    def _typed(self, name: str, column: Column, array: pa.Array) -> pa.Array:
        if array.null_count and not column.nullable:
            raise RowsInvalid
        if column.kind == "amount":
            _refuse_too_wide(array)
            return array
        if column.kind == "text" and not column.is_checked:
            return array
        values = [self._value(name, column, text) for text in array.dictionary.to_pylist()]
        if column.kind == "text":
            return array
        typed = pa.array(values, _ENUMERATED_TYPES[column.kind])
        if typed.null_count:
            # Parquet has no dictionary that holds null, only rows that point nowhere.
            return typed.take(array.indices).dictionary_encode()
        return pa.DictionaryArray.from_arrays(array.indices, typed)

    def _value(self, name: str, column: Column, text: str) -> object:
        key = (name, text)
        if key not in self._seen:
            if len(self._seen) >= MAX_SEEN:
                self._seen.clear()
            try:
                self._seen[key] = read_cell(text, column)
            except CellInvalid as error:
                raise RowsInvalid from error
        return self._seen[key]

    def explain(self, rows: Iterable[Sequence[str]], first_row: int, otherwise: str) -> BadInput:
        """Find the first offending cell among rows of text.

        Args:
            rows: cells in the order of the file's header.
            first_row: row number of the first of them.
            otherwise: reason to give when every cell reads well by itself.
        """
        for row_number, row in enumerate(rows, start=first_row):
            if len(row) != self.width:
                return BadInput(
                    self.file, f"the row has {len(row)} fields, the header has {self.width}; the file may be cut short",
                    row=row_number,
                )  # fmt: skip
            for name, column in self.columns.items():
                position = self.match.positions.get(name)
                text = "" if position is None else row[position]
                if column.is_currency and text in ABSENT and self.currency is not None:
                    continue
                try:
                    read_cell(text, column)
                except CellInvalid as error:
                    return BadInput(
                        self.file, str(error), row=row_number, column=self.match.own_names[name], value=text
                    )
        return BadInput(self.file, otherwise)


def doubles(texts: pa.Array, column: Column) -> tuple[pa.Array, pa.Array]:
    """Read amounts that the vendor keeps as doubles, from their texts.

    Returns:
        The amounts, rounded to the column's decimals where they have more; and the texts of those that were rounded.

    Raises:
        RowsInvalid: some text is no number, or too large.
    """
    wanted = amount_type(column)
    try:
        return texts.cast(wanted), pa.nulls(len(texts), pa.string())
    except pa.ArrowInvalid:
        pass
    amounts: list[Decimal | None] = []
    rounded_texts: list[str | None] = []
    try:
        for text in texts.to_pylist():
            exact = None if text is None else read_amount(text, column.decimals, is_double=True)
            rounded = None if exact is None else round_double(exact, column.decimals)
            amounts.append(rounded)
            rounded_texts.append(None if rounded == exact else text)
        return pa.array(amounts, wanted), pa.array(rounded_texts, pa.string())
    except (CellInvalid, pa.ArrowInvalid) as error:
        raise RowsInvalid from error


def _refuse_too_wide(array: pa.Array) -> None:
    # Arrow checks the scale of a decimal it reads, not that its digits still fit the precision.
    if array.null_count == len(array):
        return
    bounds = pc.min_max(array).as_py()
    limit = Decimal(10) ** (array.type.precision - array.type.scale)
    if bounds["min"] <= -limit or bounds["max"] >= limit:
        raise RowsInvalid


def json_tags(tags: Mapping[str, pa.DictionaryArray], count: int) -> pa.DictionaryArray:
    """Join tag columns to one JSON object per row, keys in the order given, absent tags left out.

    Args:
        tags: text dictionaries by key.
        count: rows.

    Returns:
        A text dictionary; null where a row has no tag at all.
    """
    if not tags:
        return pa.nulls(count, TEXT_DICTIONARY)
    codes, firsts = combinations(list(tags.values()), count)
    members = []
    for key, array in tags.items():
        prefix = json.dumps(key, ensure_ascii=False) + ": "
        # The separator belongs to the member: pyarrow drops a row whose members are all absent
        # when it joins with "skip".
        texts = [", " + prefix + json.dumps(value, ensure_ascii=False) for value in array.dictionary.to_pylist()]
        members.append(pa.array(texts, pa.string()).take(array.indices.take(firsts)))
    joined = pc.binary_join_element_wise(*members, "", null_handling="replace", null_replacement="")
    wrapped = pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(joined, len(", ")), "}", "")
    texts = pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), wrapped).dictionary_encode()
    return pa.DictionaryArray.from_arrays(texts.indices.take(codes), texts.dictionary)
