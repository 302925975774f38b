"""A gate for jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Jobs wait for it; it opens at the latest when the test ends."""
    event = threading.Event()
    yield event
    event.set()
