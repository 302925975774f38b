"""The API key on the page: asked for, kept for the tab once it works, folded away; and how sure the pack is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.contract.page.views import View

pytestmark = pytest.mark.slow


def test_a_key_that_works_is_folded_and_kept_for_the_tab(
    open_page: Callable[..., Any], try_pair: Callable[..., None]
) -> None:
    page = open_page()
    assert page.is_visible("#api-key")
    try_pair(page, "sampleMatch")
    assert page.get_attribute("#keys", "open") is None
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.inner_text("#keys-state") == "remembered for this tab"
    assert page.is_hidden("#api-key")
    try_pair(page, "sampleOther")
    assert page.is_visible("#answer")
    other_tab = open_page(View(keyed=False), tab=page.context)
    assert other_tab.inner_text("#keys-state") == "needed"
    assert other_tab.input_value("#api-secret") == ""


@pytest.mark.parametrize("worked_before", [False, True])
def test_a_wrong_key_is_asked_for_again_and_not_kept(
    page: Any, try_pair: Callable[..., None], worked_before: bool
) -> None:
    if worked_before:
        try_pair(page, "sampleMatch")
        page.click("#again")
        page.click("#keys summary")
    page.fill("#api-secret", "wrong")
    try_pair(page, "sampleMatch")
    assert page.inner_text("#failure-title") == "The API key is wrong"
    assert page.is_visible("#api-secret")
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.input_value("#api-secret") == ""


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_key_that_was_not_checked_is_not_kept(page: Any, try_pair: Callable[..., None], status: int) -> None:
    page.route("**/v1/compare*", lambda route: route.fulfill(status=status, json={"errorCode": str(status)}))
    try_pair(page, "sampleMatch")
    assert page.is_visible("#failure")
    assert page.evaluate("sessionStorage.length") == 0
    assert page.is_visible("#api-secret")


def test_without_a_key_the_page_asks_for_it(open_page: Callable[..., Any]) -> None:
    page = open_page(View(keyed=False))
    page.click(".sample")
    page.wait_for_selector("#message:has-text('Enter api_key and api_secret.')")
    assert page.evaluate("document.activeElement.id") == "api-key"
    assert page.inner_text("[data-image='1'] .file") == "card.jpg"


def test_before_the_first_use_the_page_says_where_the_key_is(
    open_page: Callable[..., Any], start: Callable[..., Any], try_pair: Callable[..., None]
) -> None:
    fresh = start()
    page = open_page(View(keyed=False), url=fresh.url)
    assert "at its first start, to its terminal" in page.inner_text("#first-use")
    page.fill("#api-key", fresh.auth[0])
    page.fill("#api-secret", fresh.auth[1])
    try_pair(page, "sampleMatch")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.is_hidden("#first-use")
    assert open_page(View(keyed=False), url=fresh.url).is_hidden("#first-use")


def test_how_sure_the_pack_is_one_click_away(open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.click("#how-sure")
    words = page.inner_text("#sure")
    assert "95 match, 3 unsure, 2 no match" in words
    assert "0.5 match, 15 unsure" in words
    assert "69,000,000 comparisons of 5,657 people" in words
    page.keyboard.press("Escape")
    assert page.is_hidden("#sure")
    page.click("#language")
    page.wait_for_selector("html[lang=vi]")
    page.click("#how-sure")
    assert "0,5 khớp, 15 chưa chắc" in page.inner_text("#sure")


def test_a_pack_without_figures_says_so(open_page: Callable[..., Any], live: Any) -> None:
    page = open_page(url=live.url)
    page.click("#how-sure")
    assert "No measured figures are known" in page.inner_text("#sure")


def test_a_notice_of_the_pack_is_shown_in_both_languages(page: Any) -> None:
    about = {"version": "1", "pack": "compact", "scenarios": False, "expectations": None, "first_use": False}
    for notice, shown in (("the pack 'standard' is not installed", True), ("", False)):
        page.route("**/version", partial(_answer, about | {"notice": notice}))
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert page.is_visible("#pack-notice") == shown
        page.unroute("**/version")
        if shown:
            assert "facematch models add standard" in page.inner_text("#pack-notice")
            page.click("#language")
            page.wait_for_selector("#pack-notice:has-text('Chưa cài bộ mô hình')")


def _answer(content: dict[str, Any], route: Any) -> None:
    route.fulfill(json=content)
