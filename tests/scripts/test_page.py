"""Tables on pages: only the text between their comments changes."""

from __future__ import annotations

import pytest

from scripts.page import PageError, markdown, text, with_tables


def test_tables_replace_only_what_is_between_their_comments() -> None:
    page = "one\n<!-- a -->\nold\n<!-- /a -->\ntwo\n"
    new = with_tables(page, {"a": "| new |"})
    assert new == "one\n<!-- a -->\n\n| new |\n\n<!-- /a -->\ntwo\n"
    assert with_tables(new, {"a": "| new |"}) == new


@pytest.mark.parametrize(
    "page", ["", "<!-- b -->\n<!-- /b -->\n", "<!-- a -->\n", "<!-- a -->\n<!-- /a -->\n<!-- b -->\n<!-- /b -->\n"]
)
def test_a_page_without_the_right_places_is_refused(page: str) -> None:
    with pytest.raises(PageError):
        with_tables(page, {"a": "text"})


def test_a_table_as_text_and_as_markdown() -> None:
    header, rows = ["name", "ms"], [["a", "1.0"], ["longer", "10.25"]]
    assert text(header, rows) == "name       ms\na         1.0\nlonger  10.25"
    assert markdown(header, rows) == "| name | ms |\n| --- | --- |\n| a | 1.0 |\n| longer | 10.25 |"
