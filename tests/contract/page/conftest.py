"""The page at `/` in headless Chromium. Skipped without Chromium; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.page.views import SIZES, View

if TYPE_CHECKING:
    from facematch_local.matcher import FaceMatcher


@pytest.fixture(scope="session")
def served(start: Callable[..., Any], matcher: FaceMatcher) -> Any:
    """A service with the pack `standard`; where its weights are missing, with another pack and its figures."""
    from facematch_local.errors import PackError
    from facematch_local.matcher import FaceMatcher as Matcher
    from facematch_local.packs.expectations import read_expectations

    standard = Path(__file__).parents[3] / "models" / "standard"
    try:
        return start(matcher=Matcher.open(standard))
    except PackError:
        return start(matcher=Matcher(replace(matcher.pack, expectations=read_expectations(standard))))


@pytest.fixture
def open_page(browser: Any, served: Any) -> Iterator[Callable[..., Any]]:
    """`open_page(View(...))`: the page. Fails at the end on a request to another host or an error of a script.

    `tab=` reuses the tab's storage of an earlier page: pass its context.
    """
    strays: list[str] = []
    with ExitStack() as stack:

        def open_page(view: View | None = None, tab: Any = None, url: str = "") -> Any:
            view = view or View()
            width, height = SIZES[view.size]
            context = tab or browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=view.scheme,
                locale={"en": "en-GB", "vi": "vi-VN"}[view.language],
                reduced_motion="reduce",
            )
            if tab is None:
                stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(60_000)
            home = url or served.url
            page.on("request", lambda request: _note_stray(strays, request.url, home))
            page.on("pageerror", lambda error: strays.append(str(error)))
            page.on("console", lambda message: _note_violation(strays, message.text))
            page.goto(home + "/")
            page.wait_for_selector("html[data-ready]")
            if view.keyed:
                page.fill("#api-key", served.auth[0])
                page.fill("#api-secret", served.auth[1])
            return page

        yield open_page
    assert strays == []


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """The page in English at 1280x900, with the key typed in."""
    return open_page()


@pytest.fixture
def photo(tmp_path: Path, astronaut_jpeg: bytes) -> Path:
    """A portrait in a file whose name needs quoting."""
    path = tmp_path / "it's me.jpg"
    path.write_bytes(astronaut_jpeg)
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A file that is not a photo."""
    path = tmp_path / "broken.jpg"
    path.write_bytes(b"no photo at all")
    return path


@pytest.fixture
def try_pair() -> Callable[[Any, str], None]:
    """`try_pair(page, "sampleMatch")`: press the button of a sample pair and wait for the answer."""

    def press(page: Any, name: str) -> None:
        page.click(f".sample:has([data-text='page.{name}'])")
        page.wait_for_selector("#answer:not([hidden]), #failure:not([hidden])")

    return press


@pytest.fixture
def compare() -> Callable[..., None]:
    """`compare(page, path1, path2)`: choose two files, press Compare and wait for an answer or a failure."""

    def choose(page: Any, first: Path, second: Path) -> None:
        for name, path in (("img1", first), ("img2", second)):
            page.set_input_files(f"input[name={name}]", str(path))
        page.click("#compare")
        page.wait_for_selector("#answer:not([hidden]), #failure:not([hidden])")

    return choose


def _note_stray(strays: list[str], url: str, home: str) -> None:
    if not url.startswith((home, "data:", "blob:")):
        strays.append(url)


def _note_violation(strays: list[str], message: str) -> None:
    if "Content Security Policy" in message:
        strays.append(message)
