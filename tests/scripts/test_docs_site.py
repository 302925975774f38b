"""The built pages, opened from a folder in headless Chromium. Skipped without MkDocs or Chromium."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facematch_local import __version__

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this version, built as `make docs` does."""
    pytest.importorskip("mkdocs", reason="needs the extra docs")
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(target)]
    done = subprocess.run(  # noqa: S603
        [*command, "--config-file", str(ROOT / ".mkdocs.yml")],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    # No warning, no advertisement.
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return target / __version__


@pytest.fixture
def page(browser: Any, site: Path) -> Iterator[Any]:
    """A phone in the dark; fails on a request to the network and on a script error."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    strays: list[str] = []
    page.on("request", lambda request: strays.append(request.url) if request.url.startswith("http") else None)
    page.on("pageerror", lambda error: strays.append(str(error)))
    yield page
    context.close()
    assert strays == []


def test_no_page_needs_the_network_or_is_wider_than_a_phone(page: Any, site: Path) -> None:
    pages = sorted(site.glob("*.html"))
    assert len(pages) > 25
    wide = []
    for path in pages:
        page.goto(path.as_uri())
        if page.evaluate("document.documentElement.scrollWidth") > 390:
            wide.append(path.name)
    assert wide == []


@pytest.mark.parametrize(("words", "found"), [("photocopy", "warnings.html"), ("chứng chỉ", "vi-migration.html")])
def test_the_search_works_from_a_folder(page: Any, site: Path, words: str, found: str) -> None:
    page.goto((site / "index.html").as_uri())
    page.click("label[for=__search]")
    page.locator(".md-search__input").press_sequentially(words)
    page.locator(f".md-search-result__link[href*='{found}']").first.wait_for(timeout=30_000)


def test_the_dark_of_the_system_is_used(page: Any, site: Path) -> None:
    page.goto((site / "index.html").as_uri())
    assert page.get_attribute("body", "data-md-color-scheme") == "slate"
    assert page.locator(".md-copyright").inner_text() == f"facematch-local {__version__}"
