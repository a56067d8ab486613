"""The schema in a Parquet file's footer as it is written: what pyarrow shows of it is already interpreted.

A decimal's scale stands in the footer twice, for old readers and for new ones; pyarrow takes one of them, and one
flipped bit there moves the point of every amount. (Apache Parquet format, parquet.thrift, SchemaElement; Thrift compact
protocol.)
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

_TAIL_BYTES = 8
_SCHEMA, _NAME, _SCALE, _PRECISION, _LOGICAL_TYPE, _DECIMAL = 2, 4, 7, 8, 10, 5
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
_LONG_LIST = 15


def twice_stated_scales(path: Path) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """Yield each decimal column's name and its two statements of (scale, precision).

    Args:
        path: a Parquet file whose footer pyarrow could read.

    Raises:
        IndexError, RecursionError: the footer is no Thrift.
    """
    with path.open("rb") as stream:
        stream.seek(-_TAIL_BYTES, 2)
        length = int.from_bytes(stream.read(4), "little")
        stream.seek(-_TAIL_BYTES - length, 2)
        reader = _Compact(stream.read(length))
    for element in reader.struct(until=_SCHEMA).get(_SCHEMA, ()):
        decimal = element.get(_LOGICAL_TYPE, {}).get(_DECIMAL)
        if decimal is not None and _SCALE in element:
            old = (element[_SCALE], element.get(_PRECISION, 0))
            yield element.get(_NAME, b"").decode("utf-8", "replace"), old, (decimal.get(1, 0), decimal.get(2, 0))


class _Compact:
    """Reads Thrift's compact protocol into plain values: structs as mappings by field number."""

    def __init__(self, content: bytes) -> None:
        self._content, self._position = content, 0

    def struct(self, until: int | None = None) -> dict[int, Any]:
        """Read a struct, or only as far as one field."""
        fields: dict[int, Any] = {}
        number = 0
        while (header := self._byte()) & 0x0F != _STOP:
            delta = header >> 4
            number = number + delta if delta else self._integer()
            kind = header & 0x0F
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind)
            if number == until:
                break
        return fields

    def _value(self, kind: int) -> Any:
        if kind == _STRUCT:
            return self.struct()
        if kind in (_LIST, _SET):
            header = self._byte()
            size = self._varint() if header >> 4 == _LONG_LIST else header >> 4
            return [self._value(header & 0x0F) for _ in range(size)]
        if kind == _MAP:
            size = self._varint()
            kinds = self._byte() if size else 0
            return [(self._value(kinds >> 4), self._value(kinds & 0x0F)) for _ in range(size)]
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind == _DOUBLE:
            return self._bytes(8)
        # A truth value is a byte of its own inside a list.
        return self._byte() if kind in (_TRUE, _FALSE, _BYTE) else self._integer()

    def _bytes(self, count: int) -> bytes:
        start = self._position
        self._position += count
        if self._position > len(self._content):
            raise IndexError("the footer ends inside a value")
        return self._content[start : self._position]

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
