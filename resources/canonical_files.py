"""The Parquet files of canonical vendor rows: how they are written, and written again without some rows."""

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

# Columns whose values rarely repeat: a dictionary would only be built to be thrown away.
ROW_VALUES = frozenset({"row_number", "x_row_key", "pricing_quantity", "billed_cost", "list_cost"})


def open_writer(path: Path, schema: pa.Schema) -> parquet.ParquetWriter:
    """Open a file of canonical rows for writing, one row group a call."""
    repeating = [name for name in schema.names if name not in ROW_VALUES]
    return parquet.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=repeating,
        # Smallest and greatest texts help no reader and cost as much as the texts themselves.
        write_statistics=[field.name for field in schema if not pa.types.is_dictionary(field.type)],
        # Readers shall see texts, not that a dictionary of them was at hand here.
        store_schema=False,
        # A byte that rots in a page would read as another amount or name: `billing verify` compares them.
        write_page_checksum=True,
    )


def remove_line_item_types(path: Path, types: Collection[str]) -> None:
    """Write a file anew without the rows of some line item types, a row group at a time.

    Args:
        path: canonical rows, not yet published; replaced.
        types: values of `x_line_item_type`.
    """
    kept_path = path.with_name(f"{path.name}.kept")
    try:
        source = parquet.ParquetFile(path)
        with open_writer(kept_path, source.schema_arrow) as writer:
            for index in range(source.num_row_groups):
                rows = source.read_row_group(index)
                kept = rows.filter(pc.invert(pc.is_in(rows["x_line_item_type"].cast(pa.string()), pa.array(types))))
                if kept.num_rows:
                    writer.write_table(kept, row_group_size=kept.num_rows)
        kept_path.replace(path)
    finally:
        kept_path.unlink(missing_ok=True)
