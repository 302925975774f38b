"""Claims of the pages about the service."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from facematch_server.settings import OTHER_VARIABLES, Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))


def test_every_test_a_page_names_exists() -> None:
    for page in PAGES:
        for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page.read_text("utf-8")):
            assert re.search(rf"def {name}\(", (ROOT / path).read_text("utf-8")), f"{page.name}: {path}::{name}"


def test_every_defence_has_a_test() -> None:
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and not line.startswith(("|---", "| Threat"))]
    assert len(rows) > 25
    assert [row for row in rows if "`tests/" not in row.rstrip("|").rpartition("|")[2]] == []


def test_every_option_a_page_names_exists() -> None:
    known = {f"FACEMATCH_{name.upper()}" for name in Settings.model_fields}
    # Variables of the tests and of the test database.
    of_tests = ("FACEMATCH_TEST_", "FACEMATCH_WRITE_SNAPSHOT")
    for page in PAGES:
        named = set(re.findall(r"FACEMATCH_[A-Z_]+[A-Z]", page.read_text("utf-8")))
        unknown = {name for name in named - known - OTHER_VARIABLES if not name.startswith(of_tests)}
        assert unknown == set(), page.name


def test_every_metric_the_page_names_is_there() -> None:
    from facematch_server.metrics import Metrics

    source = "".join(path.read_text("utf-8") for path in (ROOT / "server" / "facematch_server").glob("*.py"))
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    for name in re.findall(r"`(facematch_[a-z_]+)[{`]", page):
        bare = name.removesuffix("_total").removesuffix("_info")
        assert f'"{bare}"' in source, name
    assert Metrics().text()


# Written by a build; and a file of OpenCV Zoo.
NOT_HERE = ("models/standard/missing.txt", "models/face_recognition_sface/")


def _links(page: Path) -> list[str]:
    """Targets of links and pictures of a page, without those in code."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))


def test_every_link_to_a_file_leads_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CHANGELOG.md", *PAGES]:
        targets = {target.partition("#")[0] for target in _links(page) if "://" not in target}
        assert [target for target in targets if target and not (page.parent / target).exists()] == [], page.name


def test_every_file_of_the_repository_that_a_page_names_exists() -> None:
    path = r"`((?:server|scripts|tests|models|facematch_local|docs)/[\w./-]+)"
    for page in [ROOT / "README.md", *PAGES]:
        named = re.findall(path, page.read_text("utf-8"))
        missing = [name for name in named if not (ROOT / name.rstrip(".")).exists() and not name.startswith(NOT_HERE)]
        assert missing == [], page.name


def test_every_page_is_in_the_navigation() -> None:
    yaml = pytest.importorskip("yaml", reason="needs the package PyYAML")
    text = (ROOT / ".mkdocs.yml").read_text("utf-8")
    listed = set(re.findall(r"[\w-]+\.md", str(yaml.safe_load(text)["nav"])))
    assert listed == {page.name for page in PAGES}


def test_the_list_of_stored_fields_is_complete() -> None:
    from facematch_server.store.tables import Base

    text = (ROOT / "docs" / "auditors.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \|", text, re.MULTILINE))
    listed = {name: set(re.findall(r"`(\w+)`", fields)) for name, fields in rows.items()}
    assert listed == {name: set(table.columns.keys()) for name, table in Base.metadata.tables.items()}


def test_every_promise_to_an_auditor_has_a_test() -> None:
    text = (ROOT / "docs" / "auditors.md").read_text("utf-8")
    rows = re.search(r"\| Claim \| Test \|\n\|---\|---\|\n((?:\|.*\n)+)", text)
    assert rows is not None
    assert [row for row in rows.group(1).splitlines() if not re.search(r"\| `tests/[\w/]+\.py::\w+` \|$", row)] == []


def _figures(page: Path) -> dict[str, list[float]]:
    """The rows of a page's tables of error rates, by their number of pairs."""
    rows = {}
    for line in page.read_text("utf-8").splitlines():
        pairs = re.search(r"(\d[\d.,]*)(?: million| triệu)? (?:pairs|cặp)", line.partition("|")[2].partition("|")[0])
        cells = [cell.strip(" *") for cell in line.strip("|").split("|")[1:]]
        if pairs and 2 <= len(cells) <= 3 and all(re.fullmatch(r"\d+([.,]\d+)?", cell) for cell in cells):
            rows[re.sub(r"\D", "", pairs.group(1))] = [float(cell.replace(",", ".")) for cell in cells]
    return rows


@pytest.mark.parametrize("name", ["numbers.md", "vi-numbers.md"])
def test_the_figures_for_newcomers_are_those_of_the_page_on_accuracy(name: str) -> None:
    measured, told = _figures(ROOT / "docs" / "accuracy.md"), _figures(ROOT / "docs" / name)
    assert len(told) == 6
    assert told == {pairs: measured[pairs] for pairs in told}


def test_the_figures_of_the_readme_are_those_of_the_page_on_accuracy() -> None:
    measured, told = _figures(ROOT / "docs" / "accuracy.md"), _figures(ROOT / "README.md")
    # There the rows of two people are of 100,000 comparisons, without the column "no match".
    one_person = {"2400", "9606", "374"}
    # The synthetic cards are the same pairs as the portraits, in the row below them.
    cards = re.search(r"synthetic card to portrait \| \*\*(\d+)\*\* \| (\d+) \| (\d+)", _text("accuracy.md"))
    assert cards is not None
    expected = {**measured, "374": [float(cell) for cell in cards.groups()]}
    assert set(told) == one_person | {"69", "309291"}
    for pairs, row in told.items():
        if pairs in one_person:
            assert row == expected[pairs]
        else:
            match, unsure = (value / 1000 for value in expected[pairs])
            assert row == [match, unsure, round(100 - match - unsure, 2)]


def _text(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")
