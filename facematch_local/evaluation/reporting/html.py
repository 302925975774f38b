"""HTML pages that open without a network: no scripts, no fonts, images inside the page.

The templates lie in `templates/`. jinja2 escapes all text; a chart is marked as safe by its producer.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facematch_local.brief import BriefRepr

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class TableView:
    """A table of texts.

    Attributes:
        header: headings of the columns.
        rows: texts by row.
        title: heading of the table, "" for none.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Figure(BriefRepr):
    """Images with a caption.

    Attributes:
        images: JPEG bytes and the text that replaces them; None shows the text alone.
        caption: plain text.
    """

    images: Sequence[tuple[bytes | None, str]]
    caption: str


def render(template: str, **context: object) -> str:
    """The page of a template in `templates/`.

    Args:
        template: file name.
        context: values that the template names; a missing one is an error.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["base64"] = lambda data: base64.b64encode(data).decode()
    return environment.get_template(template).render(context)
