"""The texts of the page at `/`."""

from __future__ import annotations

import re
from importlib.resources import files

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
