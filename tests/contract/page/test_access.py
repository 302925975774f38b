"""The page for everybody: axe finds nothing, the keyboard suffices, Vietnamese is complete, phones are wide enough."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.page.views import STATIC, View, fits_across, unfold

pytestmark = pytest.mark.slow


def violations(page: Any) -> list[str]:
    """What axe-core complains about: rule and element of each violation. Skips without the package."""
    axe = pytest.importorskip("axe_playwright_python", reason="needs the package axe-playwright-python")
    # As an expression of the test, not as a script of the page: the page's policy would forbid that.
    page.evaluate(Path(axe.__file__).with_name("axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


STATES: dict[str, Callable[[Any, Callable[..., None], Callable[..., None], Path], object]] = {
    "empty": lambda page, try_pair, compare, broken: None,
    "match": lambda page, try_pair, compare, broken: try_pair(page, "sampleMatch"),
    "no match": lambda page, try_pair, compare, broken: try_pair(page, "sampleOther"),
    "warning": lambda page, try_pair, compare, broken: (try_pair(page, "sampleGlasses"), unfold(page)),
    "failure": lambda page, try_pair, compare, broken: compare(page, STATIC / "samples" / "card.jpg", broken),
    "how sure": lambda page, try_pair, compare, broken: page.click("#how-sure"),
}


@pytest.mark.parametrize(("state", "scheme"), [*itertools.product(STATES, ("light", "dark"))])
def test_axe_finds_no_violation(
    open_page: Callable[..., Any],
    try_pair: Callable[..., None],
    compare: Callable[..., None],
    broken: Path,
    state: str,
    scheme: str,
) -> None:
    page = open_page(View(scheme=scheme))
    STATES[state](page, try_pair, compare, broken)
    assert violations(page) == []


def test_axe_finds_what_is_wrong(page: Any) -> None:
    page.evaluate("document.querySelector('#api-key').closest('label').querySelector('span').remove()")
    assert any(found.startswith("label: ") for found in violations(page))


def test_the_keyboard_alone(open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.focus("#api-secret")
    for _ in range(2):  # the button, then the first pair
        page.keyboard.press("Tab")
    assert "sample" in page.evaluate("document.activeElement.className")
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "verdict"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "again"
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer", state="hidden")


def test_the_type_is_chosen_with_the_arrow_keys(page: Any) -> None:
    page.focus("input[value=card]")
    page.keyboard.press("ArrowRight")
    assert page.is_checked("input[value=portrait]")


def test_vietnamese_on_a_phone(
    open_page: Callable[..., Any], compare: Callable[..., None], try_pair: Callable[..., None], tmp_path: Path
) -> None:
    page = open_page(View("phone", "vi"))
    assert page.inner_text("#compare") == "So khớp"
    try_pair(page, "sampleGlasses")
    unfold(page)
    assert page.get_attribute("html", "lang") == "vi"
    assert page.inner_text("#verdict") == "Cùng một người"
    assert "," in page.inner_text("#percent")
    assert "Chụp lại, không đeo kính râm." in page.inner_text("#warnings")
    assert "nhiều nhất 0,2" in page.inner_text("#measures")
    assert fits_across(page)
    page.click("#language")
    page.wait_for_selector("#verdict:has-text('Same person')")
    assert "Take the photo again without sunglasses." in page.inner_text("#warnings")


def test_failures_in_vietnamese(open_page: Callable[..., Any], compare: Callable[..., None], broken: Path) -> None:
    page = open_page(View("phone", "vi"))
    compare(page, STATIC / "samples" / "card.jpg", broken)
    assert page.inner_text("#failure-title") == "Không đọc được ảnh 2"
    assert page.inner_text("#failure-reason") == "Tệp không phải ảnh ở định dạng đã biết."
    assert page.inner_text("[data-image='2'] .fault") == "Không đọc được ảnh 2"


def test_measures_that_were_not_assessed_are_readable_on_a_phone(
    open_page: Callable[..., Any], compare: Callable[..., None], tmp_path: Path
) -> None:
    import cv2
    import numpy as np

    wall = tmp_path / "wall.jpg"
    cv2.imwrite(str(wall), np.full((400, 400, 3), 120, np.uint8))
    page = open_page(View("phone", "vi"))
    compare(page, STATIC / "samples" / "card.jpg", wall)
    unfold(page)
    rows = page.locator(".measure.not_assessed")
    assert rows.count() > 5
    for row in rows.all():
        value = row.locator(".value")
        assert value.inner_text() == "không tìm thấy khuôn mặt"
        assert value.bounding_box()["height"] < 30  # one line
    overlaps = """rows => rows.filter(row => { const boxes = [...row.children].filter(part => part.offsetParent)
      .map(part => part.getBoundingClientRect()); return boxes.some((a, i) => boxes.some((b, j) => i < j
      && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)); }).length"""
    assert page.eval_on_selector_all(".measure", overlaps) == 0


def test_the_page_of_the_api_is_one_click_away(page: Any) -> None:
    page.click("nav a")
    page.wait_for_url("**/docs")
    assert "/api/v2/ekyc/face_matching" in page.inner_text("body")
