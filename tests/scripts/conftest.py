"""The training scripts are no package: their folders are searched while a test file needs them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType

import pytest

TRAINING = Path(__file__).resolve().parents[2] / "scripts" / "training"

Import = Callable[[str], ModuleType]


@contextmanager
def _searched(*folders: str) -> Iterator[Import]:
    """Imports modules of these folders of `scripts/training`; afterwards they are forgotten: others have their name."""
    before, paths = set(sys.modules), [str(TRAINING / folder) for folder in folders]
    sys.path[:0] = paths
    try:
        yield importlib.import_module
    finally:
        for path in paths:
            sys.path.remove(path)
        for name in set(sys.modules) - before:
            if str(TRAINING) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


@pytest.fixture(scope="session")
def training() -> Callable[..., AbstractContextManager[Import]]:
    """`with training("document", "detector") as load: scenes = load("scenes")`."""
    return _searched
