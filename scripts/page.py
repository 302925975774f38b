"""Tables of a page that commands write: text between the comments `<!-- NAME -->` and `<!-- /NAME -->`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence


class PageError(Exception):
    """The page and the tables do not fit together."""


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """The page with the text between each pair of comments replaced.

    Raises:
        PageError: a table has no place on the page, or a place has no table.
    """
    places = re.findall(r"<!-- (\w+) -->\n", page)
    if sorted(places) != sorted(tables):
        raise PageError(f"the page has places for {sorted(places)}, and there are tables for {sorted(tables)}")
    for name, text in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if end not in page:
            raise PageError(f"the page lacks {end}")
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{text}\n\n{end}{after}"
    return page


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in plain text: the first column on the left, the others on the right."""
    widths = [max(len(line[place]) for line in (header, *rows)) for place in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (header, *rows)
    )
