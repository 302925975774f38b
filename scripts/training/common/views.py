"""Arrays of views that several processes fill, on disk under their names only once all of them are done."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scripts.training.common.image import Array

Shapes = Mapping[str, tuple[int, ...]]


def opened(folder: Path, shapes: Shapes) -> tuple[Array, ...]:
    """One uint8 array of zeros for each name, mapped from `NAME.part.npy`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, shape in shapes.items():
        np.lib.format.open_memmap(folder / f"{name}.part.npy", "w+", np.uint8, shape).flush()
    return tuple(np.load(folder / f"{name}.part.npy", mmap_mode="r+") for name in shapes)


def started(work: Callable[..., None], arguments: Iterable[tuple[Any, ...]]) -> list[Any]:
    """A process for each of the arguments, running; what they hold already is shared, not copied."""
    forks = multiprocessing.get_context("fork")
    workers = [forks.Process(target=work, args=each) for each in arguments]
    for worker in workers:
        worker.start()
    return workers


def joined(workers: list[Any]) -> None:
    """Wait for all; if one failed, end as it did."""
    for worker in workers:
        worker.join()
    for worker in workers:
        if worker.exitcode:
            raise SystemExit(worker.exitcode)


def finished(folder: Path, shapes: Shapes) -> None:
    """Give the arrays their names."""
    for name in shapes:
        (folder / f"{name}.part.npy").rename(folder / f"{name}.npy")
