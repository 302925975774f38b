"""Comparing two photos on the page: choosing them, the answer, and the details behind it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from facematch_local.checks import CHECKS, Role
from facematch_local.policy import load_policy
from tests.contract.page.views import SIZES, STATIC, View, fits_across, is_in_sight, unfold

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", SIZES)
def test_the_verdict_is_in_sight_after_one_click_on_a_pair(
    open_page: Callable[..., Any], try_pair: Callable[..., None], size: str
) -> None:
    page = open_page(View(size))
    try_pair(page, "sampleMatch")
    assert page.inner_text("#verdict") == "Same person"
    assert float(page.inner_text("#percent").removesuffix(" %")) > 75
    for part in ("#percent", "#verdict", "#scale", "#faces", "#warnings-title"):
        assert is_in_sight(page, part), part
    assert page.evaluate("document.activeElement.id") == "verdict"
    assert page.inner_text("#announce").endswith(" percent. Same person. No warnings.")
    assert page.locator("#faces img").count() == 2
    assert fits_across(page)


def test_the_needle_stands_at_the_percent(page: Any, try_pair: Callable[..., None]) -> None:
    try_pair(page, "sampleOther")
    assert page.inner_text("#verdict") == "Not the same person"
    share = page.evaluate(
        "() => { const [scale, needle] = ['#scale', '.needle'].map(name => document.querySelector(name)"
        ".getBoundingClientRect()); return (needle.x + needle.width / 2 - scale.x) / scale.width; }"
    )
    assert 100 * share == pytest.approx(float(page.inner_text("#percent").removesuffix(" %")), abs=0.5)


def test_a_warning_says_what_to_do_and_points_at_its_place(page: Any, try_pair: Callable[..., None]) -> None:
    try_pair(page, "sampleGlasses")
    assert page.inner_text("#warnings-title") == "1 warning"
    assert "Sunglasses hide the eyes. Take the photo again without sunglasses." in page.inner_text(".warning")
    assert page.locator("[data-image='1'] .place").count() == 0
    place = page.locator("[data-image='2'] .place .line")
    assert page.locator("[data-image='2'] .frame.pointed").count() == 0
    for point, leave in ((page.hover, lambda: page.mouse.move(0, 0)), (page.focus, lambda: page.focus("#again"))):
        point(".warning")
        assert page.locator("[data-image='2'] .frame.pointed .place.active").count() == 1
        leave()
        assert page.locator(".frame.pointed").count() == 0
    # The place lies over the eyes: inside the face's box, in its upper half.
    eyes, face = place.bounding_box(), page.locator("[data-image='2'] .face .line").bounding_box()
    assert face["y"] - 10 < eyes["y"] < eyes["y"] + eyes["height"] < face["y"] + 0.75 * face["height"]
    assert page.locator("[data-image='1'] .outline").count() == 1


def test_two_people_in_one_photo(page: Any, compare: Callable[..., None], tmp_path: Path) -> None:
    import cv2

    portrait = cv2.imread(str(STATIC / "samples" / "portrait.jpg"))
    both = tmp_path / "both.jpg"
    cv2.imwrite(str(both), cv2.hconcat([portrait, portrait[:, ::-1]]))
    compare(page, STATIC / "samples" / "card.jpg", both)
    assert "More than one" not in page.inner_text("#answer")
    assert "The photo shows more than one face. Take the photo again with one person only." in page.inner_text(
        "#answer"
    )
    compared, other = (page.locator(f"[data-image='2'] .{kind} .line").bounding_box() for kind in ("face", "place"))
    assert abs(compared["x"] - other["x"]) > compared["width"]


def test_a_photo_without_a_face(page: Any, compare: Callable[..., None], tmp_path: Path) -> None:
    import cv2
    import numpy as np

    wall = tmp_path / "wall.jpg"
    cv2.imwrite(str(wall), np.full((400, 400, 3), 120, np.uint8))
    compare(page, STATIC / "samples" / "card.jpg", wall)
    assert page.inner_text("#verdict") == "Nothing to compare"
    assert page.is_hidden("#percent")
    assert page.inner_text(".no-face") == "No face"
    assert "could not be assessed" in page.inner_text("#checks")
    assert page.locator("[data-image='2'] .place").count() == 1


def test_measures_are_grouped_by_photo_with_failing_ones_first(page: Any, try_pair: Callable[..., None]) -> None:
    try_pair(page, "sampleGlasses")
    unfold(page)
    assert page.locator("#measures h3").all_inner_texts() == ["Photo 1 · ID card", "Photo 2 · Portrait"]
    first = page.locator("#measures section:nth-child(2) .measure").first
    limit = load_policy().limits[Role.PORTRAIT]["sunglasses"].maximum
    assert "failed" in first.get_attribute("class")
    assert first.locator(".name").inner_text() == "Sunglasses"
    assert first.locator(".limit").inner_text() == f"at most {limit:g}"
    value = float(first.locator(".value").inner_text())
    share = "element => element.offsetWidth / element.parentElement.offsetWidth"
    assert first.locator(".fill").evaluate(share) == pytest.approx(value, abs=0.02)
    assert page.locator("#measures .measure").count() == sum(map(len, CHECKS.values()))


def test_the_reply_in_both_profiles(page: Any, try_pair: Callable[..., None]) -> None:
    try_pair(page, "sampleMatch")
    unfold(page)
    assert json.loads(page.inner_text("#wire-panel"))["data"]["invalidCode"] == "0"
    page.focus("#wire-documented")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#wire-observed", "aria-selected") == "true"
    assert page.evaluate("document.activeElement.id") == "wire-observed"
    assert json.loads(page.inner_text("#wire-panel"))["data"]["invalidCode"] == 0


COMMANDS = {"curl": ("bash",), "Python": (sys.executable,), "JavaScript": ("node",), "PHP": ("php",)}


@pytest.mark.parametrize("language", COMMANDS)
def test_the_call_works_as_it_is_printed(
    page: Any, served: Any, compare: Callable[..., None], photo: Path, tmp_path: Path, language: str
) -> None:
    program = shutil.which(COMMANDS[language][0])
    if program is None:
        pytest.skip(f"needs {COMMANDS[language][0]}, which is not installed here")
    quoted = tmp_path / 'a "quoted" photo.jpg'
    shutil.copy(photo, quoted)
    page.check("input[value=portrait]", force=True)
    compare(page, photo, quoted)
    unfold(page)
    page.click(f"#call-{language}")
    script = tmp_path / {"JavaScript": "call.mjs"}.get(language, "call.txt")
    script.write_text(page.inner_text("#call-panel"), "utf-8")
    environment = os.environ | {"API_KEY": served.auth[0], "API_SECRET": served.auth[1]}
    ran = subprocess.run(  # noqa: S603
        [program, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert "100.0" in ran.stdout, ran.stderr


def test_a_photo_that_the_browser_cannot_show(
    page: Any, compare: Callable[..., None], photo: Path, tmp_path: Path
) -> None:
    from PIL import Image

    tiff = tmp_path / "scan.tiff"
    with Image.open(photo) as image:
        image.save(tiff)
    page.check("input[value=portrait]", force=True)
    page.set_input_files("input[name=img1]", str(tiff))
    assert page.inner_text("[data-image='1'] .file") == "scan.tiff"
    page.wait_for_selector("[data-image='1'] .unshown:has-text('The service may still read it.')")
    compare(page, tiff, photo)
    assert page.inner_text("#percent") == "100.00 %"
    assert "the face that the service found" in page.inner_text("[data-image='1'] .unshown")
    assert page.is_visible("[data-image='1'] .frame img")


def test_start_again_empties_the_page(page: Any, try_pair: Callable[..., None]) -> None:
    try_pair(page, "sampleMatch")
    page.click("#again")
    page.wait_for_selector("#answer", state="hidden")
    assert page.locator(".frame:visible, .file:visible, #details:visible").count() == 0
    assert page.evaluate("document.activeElement.name") == "img1"


@pytest.mark.parametrize("target", ["[data-image='2'] .stage", "body"])
def test_a_pasted_and_a_dropped_photo(page: Any, target: str) -> None:
    page.evaluate(
        """async () => {
          const file = new File([await (await fetch('static/samples/portrait.jpg')).blob()], 'given.jpg',
            { type: 'image/jpeg' });
          const data = new DataTransfer();
          data.items.add(file);
          document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }));
          document.querySelector(target).dispatchEvent(
            new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
        }""".replace("target", repr(target))
    )
    page.wait_for_selector("[data-image='2'] .frame:not([hidden])")
    assert page.locator(".photo .file").all_inner_texts() == ["given.jpg", "given.jpg"]


def test_a_photo_of_the_camera(browser: Any, served: Any) -> None:
    # Chromium's own synthetic camera needs a start of its own.
    chromium = browser.browser_type.launch(
        executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
        args=["--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"],
    )
    try:
        page = chromium.new_page()
        page.goto(served.url + "/")
        page.wait_for_selector("html[data-ready]")
        page.click("[data-image='1'] .camera")
        page.click("#shoot")
        page.wait_for_selector("[data-image='1'] .frame:not([hidden])")
        assert page.inner_text("[data-image='1'] .file") == "camera.jpg"
        page.click("[data-image='2'] .camera")
        page.click("#camera-close")
        assert page.is_hidden("#camera")
    finally:
        chromium.close()
