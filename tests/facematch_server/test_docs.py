"""Claims of the pages about the service."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from facematch_server.settings import OTHER_VARIABLES, Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_a_page_names_exists(page: Path) -> None:
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text("utf-8")):
        assert re.search(rf"def {name}\(", (ROOT / path).read_text("utf-8")), f"{path}::{name}"


def test_every_defence_has_a_test() -> None:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and not line.startswith(("|---", "| Threat"))]
    assert len(rows) > 25
    assert [row for row in rows if "`tests/" not in row.rstrip("|").rpartition("|")[2]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_a_page_names_exists(page: Path) -> None:
    known = {f"FACEMATCH_{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"FACEMATCH_[A-Z_]+[A-Z]", page.read_text("utf-8")))
    # Variables of the tests and of the test database.
    assert {name for name in named - known - OTHER_VARIABLES if not name.startswith("FACEMATCH_TEST_")} == set()


def test_every_metric_the_page_names_is_there() -> None:
    from facematch_server.metrics import Metrics

    source = "".join(path.read_text("utf-8") for path in (ROOT / "server" / "facematch_server").glob("*.py"))
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    for name in re.findall(r"`(facematch_[a-z_]+)[{`]", page):
        bare = name.removesuffix("_total").removesuffix("_info")
        assert f'"{bare}"' in source, name
    assert Metrics().text()
