"""The files of the page at `/`: light, self-contained, without inline scripts or styles; and its sample photos."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import facematch_server
from facematch_local.packs.expectations import EXPECTATIONS, Expectations, read_expectations

if TYPE_CHECKING:
    from facematch_local.matcher import FaceMatcher

ROOT = Path(__file__).resolve().parents[2]
STATIC = Path(facematch_server.__file__).parent / "static"
TEXT_FILES = [path for path in sorted(STATIC.rglob("*")) if path.suffix in (".html", ".js", ".css", ".json", ".svg")]


@pytest.mark.parametrize("path", TEXT_FILES, ids=lambda path: str(path.relative_to(STATIC)))
def test_a_file_loads_nothing_from_elsewhere_and_holds_nothing_inline(path: Path) -> None:
    content = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?://|(?:src|href)=\"//|@import|:\s*url\(", content) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:|\beval\(|innerHTML", content) == []
    assert len(content.splitlines()) < 350


def test_the_page_is_light() -> None:
    # The page with one language and the thumbnails; the sample photos load when they are chosen.
    first = [path for path in TEXT_FILES if path.name != "vi.json"] + sorted((STATIC / "samples" / "small").iterdir())
    assert sum(path.stat().st_size for path in first) < 120_000
    assert all(path.stat().st_size < 80_000 for path in (STATIC / "samples").glob("*.jpg"))


@pytest.mark.parametrize(
    ("image1", "image2", "verdict", "warnings"),
    [
        ("card", "portrait", "MATCH", []),
        ("other-card", "portrait", "NO_MATCH", []),
        ("card", "sunglasses", "MATCH", ["SUNGLASSES"]),
    ],
)
def test_the_pairs_to_try(matcher: FaceMatcher, image1: str, image2: str, verdict: str, warnings: list[str]) -> None:
    photos = [(STATIC / "samples" / f"{name}.jpg").read_bytes() for name in (image1, image2)]
    result = matcher.match(*photos)
    assert (result.verdict.name, [code.name for code in result.warnings]) == (verdict, warnings)


def test_the_figures_on_the_page_are_those_of_the_docs() -> None:
    expectations = read_expectations(ROOT / "models" / "standard")
    assert isinstance(expectations, Expectations)
    page = (ROOT / "docs" / "accuracy.md").read_text("utf-8")
    for figure, words in zip(
        (*expectations.mated_per_100, *expectations.non_mated_per_100000),
        (
            r"of one person, LFW \(2,400 pairs\)",
            r"of one person, East Asian public figures \(9,606 pairs of 11 people\)",
            r"of the same people, synthetic card to portrait",
            r"at random \(69 million pairs of 5,657 people\)",
            r"East Asian \(309,291 pairs of 787 people\)",
        ),
        strict=True,
    ):
        row = re.search(rf"^\| {words} \| \**([\d.]+)\** \| (\d+) \|(?: (\d+) \|)?$", page, re.MULTILINE)
        assert row is not None, words
        stated = [float(cell) for cell in row.groups() if cell is not None]
        assert [figure.match, figure.unsure, figure.no_match][: len(stated)] == stated
        whole = 100 if figure in expectations.mated_per_100 else 100_000
        assert figure.match + figure.unsure + figure.no_match == pytest.approx(whole)
        if figure.pairs is not None:
            printed = {f"{figure.pairs:,}", f"{figure.pairs // 1_000_000} million"}
            assert any(number in words for number in printed)
    assert json.loads((ROOT / "models" / "standard" / EXPECTATIONS).read_text("utf-8"))
