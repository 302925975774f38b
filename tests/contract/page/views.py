"""How people look at the page: sizes of the window, language, colours; and a few facts about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

STATIC = Path(__file__).parents[3] / "server" / "facematch_server" / "static"
SIZES = {"desktop": (1280, 900), "wide": (1920, 1080), "phone": (390, 844)}


@dataclass(frozen=True)
class View:
    """How a person looks at the page.

    Attributes:
        size: name of a size in `SIZES`.
        language: `en` or `vi`.
        scheme: `light` or `dark`.
        keyed: whether the key is typed in.
    """

    size: str = "desktop"
    language: str = "en"
    scheme: str = "light"
    keyed: bool = True


def is_in_sight(page: Any, selector: str) -> bool:
    """Whether an element lies wholly inside the window, without scrolling."""
    inside: bool = page.eval_on_selector(
        selector,
        "element => { const { top, bottom, height } = element.getBoundingClientRect();"
        " return height > 0 && top >= 0 && bottom <= innerHeight; }",
    )
    return inside


def fits_across(page: Any) -> bool:
    """Whether the page needs no scrolling to the side."""
    fits: bool = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return fits


def unfold(page: Any) -> None:
    """Open all folded details."""
    page.evaluate("document.querySelectorAll('#details details').forEach(fold => { fold.open = true; })")
