"""Commands over new databases."""

from __future__ import annotations

import pytest

from tests.schema_memory import SchemaMemory


@pytest.fixture(autouse=True)
def tables_made_once(schema_memory: SchemaMemory) -> None:
    """See `tests.schema_memory`."""
