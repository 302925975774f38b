"""The folder of an unfinished run: a manifest, and a file for each finished chunk."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from facematch_local.batch.rows import Outcome, as_record, from_record
from facematch_local.batch.writing import json_line
from facematch_local.errors import FacematchError

_MANIFEST: Final = "manifest.json"
_PART: Final = re.compile(r"part-(\d{8})\.jsonl")


class Parts:
    """Finished chunks on disk. A part is complete or absent, whenever the process or the system ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def unfinished(self) -> Path:
        """Where the result is assembled, on the file system of its final name."""
        return self.folder / "result.tmp"

    def manifest(self) -> dict[str, Any] | None:
        """The manifest; None where no run has started.

        Raises:
            FacematchError: it is damaged.
        """
        return read_json(self.folder / _MANIFEST)

    def start(self, manifest: Mapping[str, Any]) -> None:
        """Create the folder.

        Raises:
            OSError: it cannot be written.
        """
        self.folder.mkdir(exist_ok=True)
        write_json(self.folder / _MANIFEST, manifest)

    def finished(self) -> set[int]:
        """Numbers of the chunks that have a part."""
        matches = (_PART.fullmatch(path.name) for path in self.folder.iterdir())
        return {int(match[1]) for match in matches if match}

    def write(self, number: int, outcomes: Sequence[Outcome]) -> None:
        """Write the part of a chunk.

        Raises:
            OSError: it cannot be written, for instance on a full disk.
        """
        write_whole(self._path(number), "".join(json_line(as_record(outcome)) for outcome in outcomes))

    def outcomes(self, rows: Sequence[int]) -> Iterator[Outcome]:
        """The outcomes of all parts in the order of the list.

        Args:
            rows: how many each part must have.

        Raises:
            FacematchError: a part is damaged.
        """
        for number, expected in enumerate(rows):
            path = self._path(number)
            try:
                outcomes = [from_record(json.loads(line)) for line in path.read_text("utf-8").splitlines(True)]
            except (OSError, KeyError, TypeError, ValueError):
                outcomes = []
            if len(outcomes) != expected:
                raise FacematchError(f"{path}: damaged; delete it and run again with --resume")
            yield from outcomes

    def remove(self) -> None:
        """Delete the folder, the manifest last: what is left of it is still an unfinished run."""
        for path in sorted(self.folder.iterdir(), key=lambda path: path.name == _MANIFEST):
            path.unlink()
        shutil.rmtree(self.folder)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep a second run out, where the system has such locks; they end with the process.

        Raises:
            FacematchError: another run works in this folder.
        """
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        with self.folder.with_name(self.folder.name + ".lock").open("wb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                # Some network file systems have no locks.
                if error.errno in (errno.EAGAIN, errno.EACCES):
                    raise FacematchError(f"{self.folder}: another run works in this folder") from None
            try:
                yield
            finally:
                os.unlink(stream.name)

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:08}.jsonl"


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None where there is no file.

    Raises:
        FacematchError: it is damaged.
    """
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FacematchError(f"{path}: cannot be read ({type(error).__name__})") from None
    if not isinstance(data, dict):
        raise FacematchError(f"{path}: not a JSON object")
    return data


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON object so that the file is complete or absent."""
    write_whole(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is complete or absent."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, "utf-8", newline="")
    put(temporary, path)


def put(temporary: Path, path: Path) -> None:
    """Bring a written file to the disk, then to its name."""
    with temporary.open("r+b") as stream:
        os.fsync(stream.fileno())
    os.replace(temporary, path)
    with contextlib.suppress(OSError):  # Windows opens no folders
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
