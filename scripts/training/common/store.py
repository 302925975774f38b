"""Arrays on disk: files written whole, and crops appended one by one and mapped for reading, never all in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np

from scripts.training.common.image import Array


def save_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write an .npz file so that a reader never sees half of it."""
    part = path.with_suffix(".part")
    with part.open("wb") as stream:
        np.savez(stream, **arrays)
    part.replace(path)


class CropWriter:
    """Appends uint8 crops of fixed sizes to one file per name."""

    def __init__(self, folder: Path, sizes: Mapping[str, int]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._sizes = dict(sizes)
        self._files = {name: (folder / f"{name}.u8").open("wb") for name in sizes}

    def add(self, crops: Mapping[str, Array]) -> None:
        """One crop for every name."""
        for name, file in self._files.items():
            size = self._sizes[name]
            assert crops[name].shape == (size, size, 3)
            assert crops[name].dtype == np.uint8
            file.write(np.ascontiguousarray(crops[name]).tobytes())

    def __enter__(self) -> CropWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()


def crops_in(folder: Path, sizes: Mapping[str, int]) -> dict[str, Array]:
    """Arrays uint8 [N,S,S,3] by name."""
    return {name: np.memmap(folder / f"{name}.u8", np.uint8, "r").reshape(-1, s, s, 3) for name, s in sizes.items()}
