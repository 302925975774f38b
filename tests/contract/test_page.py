"""The page at `/`, driven in headless Chromium. Skipped without Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium of the system; nothing is downloaded."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium, which is not installed here")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, live: Any) -> Iterator[Any]:
    """The page in English, credentials typed in; fails on any request to another host or script error."""
    context = browser.new_context(viewport={"width": 1100, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)
    strays: list[str] = []
    page.on("request", lambda request: strays.append(request.url) if _is_stray(request.url, live.url) else None)
    page.on("pageerror", lambda error: strays.append(str(error)))
    page.goto(live.url + "/")
    page.fill("#api-key", live.auth[0])
    page.fill("#api-secret", live.auth[1])
    yield page
    context.close()
    assert strays == []


def _is_stray(url: str, home: str) -> bool:
    return not url.startswith((home, "data:", "blob:"))


@pytest.fixture
def photo(tmp_path: Path, astronaut_jpeg: bytes) -> Path:
    path = tmp_path / "it's me.jpg"
    path.write_bytes(astronaut_jpeg)
    return path


def _choose_both(page: Any, photo: Path) -> None:
    page.check("input[value=portrait]")
    for name in ("img1", "img2"):
        page.set_input_files(f"input[name={name}]", str(photo))


def _compare(page: Any) -> None:
    page.click("#compare")
    page.wait_for_selector("#result:not([hidden])")


def test_the_same_photo_is_a_match(page: Any, photo: Path) -> None:
    _choose_both(page, photo)
    _compare(page)
    assert page.inner_text("#percent") == "100.00 %"
    assert page.inner_text("#verdict") == "same person"
    assert page.locator("#measures tbody tr").count() > 8
    assert page.locator("#measures tbody tr.passed .dot").count() > 4
    assert page.locator(".aligned:not([hidden]) img").count() == 2
    # A green box was drawn on both photos.
    green = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((_, i, all) =>"
    green += " i % 4 === 0 && all[i] === 0x22 && all[i + 1] === 0xc5 && all[i + 2] === 0x5e)"
    assert all(page.eval_on_selector(f"[data-image='{number}'] canvas", green) for number in (1, 2))


def test_both_profiles_and_the_curl_line(page: Any, photo: Path) -> None:
    _choose_both(page, photo)
    _compare(page)
    assert '"matching":"100.0"' in page.inner_text("#wire")
    assert '"invalidCode":"' in page.inner_text("#wire")
    page.focus("#tab-documented")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#tab-observed", "aria-selected") == "true"
    assert '"invalidCode":"' not in page.inner_text("#wire")
    curl = page.inner_text("#curl")
    assert "-F 'img1=@it'\\''s me.jpg'" in curl
    assert "type1=portrait&format_type=file" in curl


def test_it_can_be_used_with_the_keyboard_alone(page: Any, photo: Path) -> None:
    _choose_both(page, photo)
    page.focus("#api-secret")
    page.keyboard.press("Enter")
    page.wait_for_selector("#result:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "result"


def test_errors_are_told(page: Any, photo: Path, tmp_path: Path) -> None:
    page.click("#compare")
    assert page.inner_text("#message") == "Two photos are needed."
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo at all")
    _choose_both(page, photo)
    page.set_input_files("input[name=img2]", str(broken))
    page.click("#compare")
    page.wait_for_selector("#message:has-text('3 Incorrect image format')")
    page.set_input_files("input[name=img2]", str(photo))
    page.fill("#api-secret", "wrong")
    page.click("#compare")
    page.wait_for_selector("#message:has-text('5 Incorrect api_key or api_secret')")
    assert page.is_hidden("#result")


def test_vietnamese_on_a_small_screen(page: Any, photo: Path) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.click("#language")
    assert page.get_attribute("html", "lang") == "vi"
    assert page.inner_text("#compare") == "So khớp"
    _choose_both(page, photo)
    _compare(page)
    assert page.inner_text("#verdict") == "cùng một người"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.click("#language")
    assert page.inner_text("#verdict") == "same person"


def test_api_page_is_readable_offline(page: Any) -> None:
    page.click("nav a")
    page.wait_for_url("**/docs")
    assert "/api/v2/ekyc/face_matching" in page.inner_text("body")


def test_a_notice_of_the_pack_is_shown_in_both_languages(page: Any, live: Any) -> None:
    about = {"version": "1", "scenarios": False, "notice": "the pack 'standard' is not installed"}
    page.route("**/version", lambda route: route.fulfill(json=about))
    page.reload()
    page.wait_for_selector("#pack-notice:not([hidden])")
    assert "facematch models add standard" in page.inner_text("#pack-notice")
    page.click("#language")
    assert page.inner_text("#pack-notice").startswith("Chưa cài bộ mô hình")
    page.unroute("**/version")
    page.route("**/version", lambda route: route.fulfill(json=about | {"notice": ""}))
    page.reload()
    page.wait_for_load_state("networkidle")
    assert page.is_hidden("#pack-notice")
