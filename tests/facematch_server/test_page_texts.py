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
