"""Parquet files through pyarrow, which is an optional extra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from facematch_local.errors import FacematchError

_ROWS: Final = 4096


def require() -> None:
    """Check that pyarrow is there.

    Raises:
        FacematchError: it is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise FacematchError("Parquet needs pyarrow: pip install 'facematch-local[parquet]'") from None


class ParquetRows:
    """An open Parquet file."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file, self._path = file, path

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._file.schema_arrow.names)

    def rows(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The rows, a batch in memory at a time.

        Raises:
            FacematchError: the file is damaged.
        """
        from pyarrow import ArrowException

        try:
            for batch in self._file.iter_batches(batch_size=_ROWS, columns=list(columns)):
                yield from batch.to_pylist()
        except (ArrowException, UnicodeDecodeError) as error:
            raise FacematchError(f"{self._path}: damaged ({type(error).__name__})") from None


@contextmanager
def open_file(path: Path) -> Iterator[ParquetRows]:
    """Open a file for reading.

    Raises:
        FacematchError: pyarrow is not installed, or the file is not Parquet.
        OSError: the file cannot be read.
    """
    require()
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    with path.open("rb") as stream:
        try:
            file = ParquetFile(stream)
        except (ArrowException, OSError) as error:
            raise FacematchError(f"{path}: not a Parquet file ({type(error).__name__})") from None
        yield ParquetRows(file, path)


class ParquetRecords:
    """Writes records of the result as a Parquet file, in row groups of a fixed size."""

    def __init__(self, path: Path) -> None:
        """Create the file.

        Raises:
            FacematchError: pyarrow is not installed.
        """
        require()
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        text, code = pa.string(), pa.int8()
        self._schema = pa.schema(
            [(name, text) for name in ("id", "path1", "path2", "type1")]
            + [("percent", pa.float64()), ("verdict", text), ("warning", code), ("warnings", pa.list_(code))]
            + [("error", text), ("reason", text)]
        )
        self._writer = ParquetWriter(path, self._schema)
        self._records: list[dict[str, Any]] = []

    def write(self, record: dict[str, Any]) -> None:
        """Add a row."""
        self._records.append(record)
        if len(self._records) == _ROWS:
            self._flush()

    def close(self) -> None:
        """Write what is left and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._records:
            self._writer.write_table(pa.Table.from_pylist(self._records, self._schema))
            self._records = []
