"""The texts of the page at `/`."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from facematch_local.checks import CHECKS


def test_every_measure_has_a_vietnamese_name() -> None:
    texts = files("facematch_server").joinpath("static", "texts.js").read_text(encoding="utf-8")
    found = re.search(r"MEASURES_VI = \{(.*?)\};", texts, re.DOTALL)
    assert found is not None
    names = {check.name for checks in CHECKS.values() for check in checks}
    assert set(re.findall(r'(\w+): "', found[1])) == names


def test_every_text_is_there_in_both_languages() -> None:
    static = files("facematch_server").joinpath("static")
    texts, page = (static.joinpath(name).read_text(encoding="utf-8") for name in ("texts.js", "index.html"))
    english, vietnamese = re.findall(r"^  (?:en|vi): \{(.*?)^  \},", texts, re.DOTALL | re.MULTILINE)
    strings_or_names = r'"(?:[^"\\]|\\.)*"|(\w+):'
    names = [set(re.findall(strings_or_names, block)) - {""} for block in (english, vietnamese)]
    assert names[0] == names[1]
    assert set(re.findall(r'data-text="(\w+)"', page)) <= names[0]
    assert "packNotice" in names[0]


def test_the_figures_on_the_page_are_those_of_the_docs() -> None:
    texts = files("facematch_server").joinpath("static", "texts.js").read_text(encoding="utf-8")
    page = (Path(__file__).parents[2] / "docs" / "accuracy.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (?:of one person, (?:LFW|East)|at random|East Asian \()[^|]*\| \**([\d.]+)\** \| (\d+) \|(?: (\d+) \|)?$",
        page,
        re.M,
    )
    assert len(rows) == 4
    (lfw, east, random, group) = rows
    for text in (
        f"{lfw[0]} match, {lfw[1]} unsure, {lfw[2]} no match (LFW)",
        f"{east[0]} match, {east[1]} unsure, {east[2]} no match",
    ):
        assert text in texts
    assert f"{random[0]} match at random, {group[0]} match among East Asian people" in texts
    comma = [value.replace(".", ",") for value in (random[0], group[0])]
    assert f"{comma[0]} khớp nếu chọn ngẫu nhiên, {comma[1]} khớp giữa những người Đông Á" in texts
    assert f"{lfw[0]} khớp, {lfw[1]} chưa chắc, {lfw[2]} không khớp (LFW)" in texts
