"""What the page shows when a comparison fails, and that no answer outlives its inputs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.page.views import SIZES, View, fits_across, is_in_sight

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", SIZES)
def test_a_broken_file_names_the_photo_the_reason_and_the_request(
    open_page: Callable[..., Any], compare: Callable[..., None], served: Any, photo: Path, broken: Path, size: str
) -> None:
    page = open_page(View(size))
    compare(page, photo, broken)
    assert page.inner_text("#failure-title") == "Photo 2 cannot be read"
    assert is_in_sight(page, "#failure")
    assert page.evaluate("document.activeElement.id") == "failure-title"
    assert page.inner_text("#failure-reason") == "The file is not a photo in a known format."
    request_id = page.inner_text("#failure-id").removeprefix("Request id: ")
    assert re.fullmatch(r"[0-9a-f]{16,}", request_id)
    assert any(request_id in line for line in served.logs)
    assert page.inner_text("[data-image='2'] .file") == "broken.jpg"
    assert page.inner_text("[data-image='2'] .fault") == "Photo 2 cannot be read"
    assert page.is_hidden("[data-image='1'] .fault")
    assert page.is_hidden("#answer")
    assert fits_across(page)


def test_an_empty_file(page: Any, compare: Callable[..., None], photo: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jpg"
    empty.touch()
    compare(page, empty, photo)
    assert page.inner_text("#failure-title") == "Photo 1 is empty"


@pytest.mark.parametrize(
    ("status", "headers", "body", "title", "advice"),
    [
        (429, {"Retry-After": "3"}, {"errorCode": "4"}, "The key sends requests too fast", "Try again in 3 s."),
        (429, {}, {"errorCode": "4"}, "The key has no requests left", "Use another key"),
        (503, {}, {"errorCode": "503"}, "The service is busy or not ready", "Try again in a moment."),
        (500, {}, {"errorCode": "500", "errorMessage": "Fault"}, "The service reports an error", "request id"),
        (422, {}, {"errorCode": "3", "image": None}, "A photo cannot be read", "Choose other files"),
    ],
)
def test_other_failures(
    page: Any,
    try_pair: Callable[..., None],
    status: int,
    headers: dict[str, str],
    body: dict[str, Any],
    title: str,
    advice: str,
) -> None:
    page.route("**/v1/compare*", lambda route: route.fulfill(status=status, headers=headers, json=body))
    try_pair(page, "sampleMatch")
    assert page.inner_text("#failure-title") == title
    assert advice in page.inner_text("#failure")
    assert ("Fault" in page.inner_text("#failure")) == (status == 500)


@pytest.mark.parametrize("how", ["no connection", "no JSON"])
def test_a_service_that_does_not_answer(page: Any, try_pair: Callable[..., None], how: str) -> None:
    page.route(
        "**/v1/compare*",
        lambda route: route.abort() if how == "no connection" else route.fulfill(status=502, body="<html>"),
    )
    try_pair(page, "sampleMatch")
    assert page.inner_text("#failure-title") == "The service does not answer"
    assert page.is_enabled("#compare")


CHANGES: dict[str, Callable[[Any, Path], None]] = {
    "another photo": lambda page, photo: page.set_input_files("input[name=img2]", str(photo)),
    "a removed photo": lambda page, photo: page.click("[data-image='1'] .clear"),
    "another type": lambda page, photo: page.check("input[value=portrait]", force=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_answer_disappears_when_an_input_changes(
    page: Any, try_pair: Callable[..., None], photo: Path, change: str
) -> None:
    try_pair(page, "sampleGlasses")
    CHANGES[change](page, photo)
    page.wait_for_selector("#answer", state="hidden")
    assert page.locator(".overlay, .frame .badge, #details:visible").count() == 0
    assert page.inner_text("#announce") == ""
    assert page.is_visible("#compare")


def test_a_failure_disappears_when_an_input_changes(
    page: Any, compare: Callable[..., None], photo: Path, broken: Path
) -> None:
    compare(page, photo, broken)
    page.set_input_files("input[name=img2]", str(photo))
    page.wait_for_selector("#failure", state="hidden")
    assert page.locator(".fault:visible, .faulty").count() == 0


def test_an_answer_to_earlier_inputs_is_not_shown(page: Any, photo: Path) -> None:
    held: list[Any] = []
    page.route("**/v1/compare*", lambda route: held.append(route))
    page.click(".sample")
    page.wait_for_selector("#compare:has-text('Comparing')")
    page.wait_for_timeout(300)
    page.set_input_files("input[name=img2]", str(photo))
    for route in held:
        route.continue_()
    page.wait_for_timeout(1000)
    assert page.is_hidden("#answer")
    assert page.is_hidden("#failure")
    assert page.inner_text("#compare") == "Compare"


def test_a_missing_photo_is_named(page: Any, photo: Path) -> None:
    page.set_input_files("input[name=img1]", str(photo))
    page.click("#compare")
    assert page.inner_text("#message") == "Choose photo 2."
    assert page.evaluate("document.activeElement.name") == "img2"
