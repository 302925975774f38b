"""Pictures of the page in every state a person may see, for people to look at.

`FACEMATCH_TEST_SCREENSHOTS=FOLDER pytest -m slow tests/contract/page/test_screenshots.py` keeps them in FOLDER.
`FACEMATCH_WRITE_SNAPSHOT=1` also draws the picture in the README again.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.contract.page.views import STATIC, View, fits_across, is_in_sight, unfold

pytestmark = pytest.mark.slow

PICTURE = Path(__file__).parents[3] / "docs" / "images" / "page.png"


@dataclass(frozen=True)
class Hands:
    """What a person does at the page: `try_pair` and `compare` of the fixtures, and a file that is not a photo."""

    try_pair: Callable[..., None]
    compare: Callable[..., None]
    broken: Path


def as_unsure(page: Any, hands: Hands) -> None:
    """An answer between the marks. No sample pair gives one, so the percent of the reply is replaced."""

    def altered(route: Any) -> None:
        response = route.fetch()
        route.fulfill(response=response, json=response.json() | {"percent": 70.31, "match": 0, "verdict": "unsure"})

    page.route("**/v1/compare*", altered)
    hands.try_pair(page, "sampleMatch")


def as_stale(page: Any, hands: Hands) -> None:
    """An answer, then another photo."""
    hands.try_pair(page, "sampleGlasses")
    page.set_input_files("input[name=img2]", str(STATIC / "samples" / "portrait.jpg"))
    page.wait_for_selector("#answer", state="hidden")


def as_pointed(page: Any, hands: Hands) -> None:
    """An answer with a warning under the pointer."""
    hands.try_pair(page, "sampleGlasses")
    page.hover(".warning")


def as_unfolded(page: Any, hands: Hands) -> None:
    """All details of an answer."""
    hands.try_pair(page, "sampleGlasses")
    unfold(page)


STATES: dict[str, tuple[Callable[[Any, Hands], object], str]] = {
    "empty": (lambda page, hands: None, "#compare"),
    "match": (lambda page, hands: hands.try_pair(page, "sampleMatch"), "#verdict"),
    "no-match": (lambda page, hands: hands.try_pair(page, "sampleOther"), "#verdict"),
    "unsure": (as_unsure, "#verdict"),
    "warning": (as_pointed, "#verdict"),
    "details": (as_unfolded, "#verdict"),
    "failure": (
        lambda page, hands: hands.compare(page, STATIC / "samples" / "card.jpg", hands.broken),
        "#failure-title",
    ),
    "stale": (as_stale, "#compare"),
    "how-sure": (lambda page, hands: page.click("#how-sure"), "#sure-title"),
}
VIEWS = {
    "desktop": View(),
    "wide": View("wide"),
    "phone": View("phone"),
    "dark": View(scheme="dark"),
    "vietnamese": View(language="vi"),
    "phone-dark-vietnamese": View("phone", "vi", "dark"),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("state", STATES)
def test_a_picture(
    open_page: Callable[..., Any],
    try_pair: Callable[..., None],
    compare: Callable[..., None],
    broken: Path,
    tmp_path: Path,
    state: str,
    view: str,
) -> None:
    page = open_page(VIEWS[view])
    act, seen = STATES[state]
    act(page, Hands(try_pair, compare, broken))
    picture = page.screenshot(full_page=state == "details")
    folder = Path(os.environ.get("FACEMATCH_TEST_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{state}-{view}.png").write_bytes(picture)
    assert fits_across(page)
    # On a phone the button of the empty page lies below the two photos.
    assert is_in_sight(page, seen) or (seen == "#compare" and VIEWS[view].size == "phone")
    assert page.locator("[data-text]:visible").count() > 5
    assert not any(text.startswith("page.") for text in page.locator("[data-text]").all_inner_texts())


def test_the_picture_of_the_readme(page: Any, try_pair: Callable[..., None]) -> None:
    from PIL import Image

    try_pair(page, "sampleGlasses")
    page.hover(".warning")
    if os.environ.get("FACEMATCH_WRITE_SNAPSHOT"):
        with Image.open(io.BytesIO(page.screenshot(clip={"x": 0, "y": 0, "width": 1280, "height": 840}))) as image:
            small = image.convert("RGB").resize((960, 630), Image.Resampling.LANCZOS)
            small.quantize(256, kmeans=3).save(PICTURE, optimize=True)
    with Image.open(PICTURE) as image:
        assert image.size == (960, 630)
    assert PICTURE.stat().st_size < 150_000
