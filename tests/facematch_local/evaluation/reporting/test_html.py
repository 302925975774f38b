"""Pages: escaped texts, tables and figures, and values that a template misses."""

from __future__ import annotations

import base64

import pytest
from jinja2 import UndefinedError

from facematch_local.evaluation.reporting.html import Figure, TableView, render

EVIL = "<b>&\"'"
ESCAPED = "&lt;b&gt;&amp;&#34;&#39;"


def test_tables_and_figures_are_escaped() -> None:
    table = TableView([EVIL], [["1", EVIL], ["2", "x"]], EVIL)
    figure = Figure([(b"jpeg", EVIL), (None, "no face")], EVIL)
    page = render("warnings.html", title=EVIL, notes=[EVIL], tables=[table], galleries=[(EVIL, [figure])])
    assert EVIL not in page
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>\n")
    assert f"<title>{ESCAPED}</title>" in page
    assert f"<th>{ESCAPED}</th>" in page
    assert f"<tr><td>1</td><td>{ESCAPED}</td></tr>" in page
    assert f'<img alt="{ESCAPED}" src="data:image/jpeg;base64,{base64.b64encode(b"jpeg").decode()}">' in page
    assert "<span>no face</span>" in page
    assert f"<figcaption>{ESCAPED}</figcaption>" in page


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="notes"):
        render("warnings.html", title="", tables=[], galleries=[])
