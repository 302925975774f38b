"""Label lists and a matcher with known outcomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facematch_local.checks import Measure, Role
from facematch_local.imaging.decode import decode, encode_jpeg
from facematch_local.policy import load_policy


class GreyMatcher:
    """Measures blur as the first pixel of a photo, so that all outcomes are known."""

    def __init__(self) -> None:
        self.examined: list[Role] = []

    def examine(self, image: bytes, role: Role) -> tuple[None, Any]:
        self.examined.append(role)
        value = float(decode(image).pixels[0, 0, 0]) / 255
        measure = Measure(value) if value < 0.99 else Measure.not_assessed("white")
        return None, load_policy().judge(1, role, {"blur": measure})


@pytest.fixture
def matcher() -> GreyMatcher:
    return GreyMatcher()


@pytest.fixture
def write_labels(tmp_path: Path) -> Callable[..., Path]:
    """`write_labels("a.jpg,9,positive", columns="path,code,label")` writes a list and returns its path."""

    def write(*rows: str, columns: str = "path,code,label") -> Path:
        labels = tmp_path / "labels.csv"
        labels.write_text("\n".join([columns, *rows, ""]), "utf-8")
        return labels

    return write


@pytest.fixture
def write_grey(tmp_path: Path) -> Callable[[Mapping[str, int]], None]:
    """Writes photos of one grey value each."""

    def write(values: Mapping[str, int]) -> None:
        for name, value in values.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(encode_jpeg(np.full((16, 16, 3), value, np.uint8)))

    return write
