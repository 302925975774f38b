"""The forms of `/docs`, driven in headless Chromium. Skipped without Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Any, live: Any) -> Iterator[Any]:
    """The page, a key typed in; fails on a request to another host and on a message on the console."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.set_default_timeout(60_000)
    strays: list[str] = []
    page.on("request", lambda request: strays.append(request.url) if _is_stray(request.url, live.url) else None)
    page.on("pageerror", lambda error: strays.append(str(error)))
    page.on("console", lambda message: strays.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(live.url + "/docs")
    page.fill("#key", live.auth[0])
    page.fill("#secret", live.auth[1])
    yield page
    context.close()
    assert strays == []


def _is_stray(url: str, home: str) -> bool:
    return not url.startswith((home, "data:", "blob:"))


@pytest.fixture
def photo(tmp_path: Path, astronaut_jpeg: bytes) -> Path:
    path = tmp_path / "me.jpg"
    path.write_bytes(astronaut_jpeg)
    return path


def _open(page: Any, method: str, path: str) -> Any:
    form = page.locator(f"form[data-method={method}][data-path='{path}']")
    form.locator("xpath=..").locator("summary").click()
    return form


def _send(form: Any) -> str:
    form.locator("button").click()
    output = form.locator("xpath=..").locator("output")
    output.locator("pre").first.wait_for()
    text: str = output.inner_text()
    return text


@pytest.mark.parametrize("body", ["file", "base64"])
def test_a_comparison_of_the_contract(page: Any, photo: Path, body: str) -> None:
    form = _open(page, "POST", "/api/v2/ekyc/face_matching")
    form.locator("select[name=format_type]").select_option(body)
    form.locator("select[name=type1]").select_option("portrait")
    for name in ("img1", "img2"):
        form.locator(f"input[name={name}]").set_input_files(str(photo))
    text = _send(form)
    assert "HTTP 200" in text
    assert '"matching": "100.0"' in text
    assert "x-facematch-warnings" in text
    assert f"format_type={body}" in text.splitlines()[-1]
    assert form.locator("xpath=..").locator("output img").count() == 2
    # On a phone nothing is wider than the screen.
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_detailed_comparison_and_the_metrics(page: Any, photo: Path) -> None:
    form = _open(page, "POST", "/v1/compare")
    for name in ("img1", "img2"):
        form.locator(f"input[name={name}]").set_input_files(str(photo))
    assert '"findings"' in _send(form)
    assert "facematch_requests_total" in _send(_open(page, "GET", "/metrics"))


def test_a_wrong_secret_is_an_answer_not_a_window(page: Any) -> None:
    page.fill("#secret", "wrong")
    form = _open(page, "GET", "/api/v2/ekyc/face_matching")
    for name in ("img1", "img2"):
        form.locator(f"input[name={name}]").fill("https://example.com/a.jpg")
    assert '"errorCode": "5"' in _send(form)
