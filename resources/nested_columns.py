"""Nested columns of a Parquet file as the flat columns that JSON rows of the same table give.

A struct becomes one column per member, named by its path (`usage.amount`); a list becomes JSON text in which every
number is a text of its own digits, as in `json_rows`. BigQuery wraps the elements of a list in a struct of one member:
both its spellings are unwrapped.
"""

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

_WRAPPERS = ("element", "item", "array_element")


def flat_columns(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Return the path of every flat column of a schema, with the names that lead to it, in file order."""
    found: dict[str, tuple[str, ...]] = {}
    for member in schema:
        _flatten(member.type, (member.name,), found)
    return found


def _flatten(kind: pa.DataType, names: tuple[str, ...], found: dict[str, tuple[str, ...]]) -> None:
    if not pa.types.is_struct(kind) or _is_wrapped_list(kind):
        found[".".join(names)] = names
        return
    for member in kind:
        _flatten(member.type, (*names, member.name), found)


def is_list(kind: pa.DataType) -> bool:
    """Tell whether a column is a list, wrapped or not."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or _is_wrapped_list(kind)


def _is_wrapped_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_struct(kind)
        and kind.num_fields == 1
        and kind.field(0).name == "list"
        and (pa.types.is_list(kind.field(0).type) or pa.types.is_large_list(kind.field(0).type))
    )


def member_of(batch: pa.RecordBatch, names: Sequence[str]) -> pa.Array:
    """Return a flat column of a batch; null where a struct above it is."""
    array = batch.column(names[0])
    return pc.struct_field(array, list(names[1:])) if len(names) > 1 else array


def list_texts(array: pa.Array) -> pa.Array:
    """Return a list column as JSON texts; null for a null or empty list."""
    if _is_wrapped_list(array.type):
        array = pc.struct_field(array, ["list"])
    texts = [json.dumps(_plain(value), ensure_ascii=False) if value else None for value in array.to_pylist()]
    return pa.array(texts, pa.string())


def _plain(value: object) -> object:
    match value:
        case dict():
            if len(value) == 1 and next(iter(value)) in _WRAPPERS:
                return _plain(next(iter(value.values())))
            return {key: _plain(member) for key, member in value.items()}
        case list():
            return [_plain(member) for member in value]
        case Decimal():
            return format(value, "f")
        case bool() | None | str():
            return value
        case date():
            return value.isoformat()
        case _:
            return repr(value)
