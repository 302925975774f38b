"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of labelled photos and development weights beside the checkout; skips without it."""
    if not (SHARED / "data" / "labels.csv").is_file():
        pytest.skip("needs ../shared (labelled photos and development weights), which is not here")
    return SHARED
