"""`GET /version`: version and pack, for the page and for operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from facematch_local import __version__

if TYPE_CHECKING:
    from facematch_local.matcher import FaceMatcher


def test_it_names_the_pack_and_its_curve(live: Any, matcher: FaceMatcher) -> None:
    loaded = matcher.pack
    assert live.get("/version").json() == {
        "version": __version__,
        "scenarios": False,
        "pack": loaded.pack.name,
        "pack_version": loaded.pack.version,
        "calibration": loaded.calibration.id,
        "calibrated": loaded.calibration.calibrated,
        "notice": "",
        "policy": matcher.policy.version,
        "expectations": None,
        "first_use": not live.store.is_used(),
        "api_port": None,
    }


def test_it_says_whether_a_key_was_used_on_this_machine_only(
    start: Callable[..., Any], matcher: FaceMatcher, astronaut_jpeg: bytes
) -> None:
    live = start()
    assert live.get("/version", auth=None).json()["first_use"] is True
    assert live.post("/v1/compare", auth=("a", "b")).status_code == 401
    assert live.get("/version", auth=None).json()["first_use"] is True
    assert live.post("/v1/compare", files={"img1": astronaut_jpeg, "img2": astronaut_jpeg}).status_code == 200
    assert live.get("/version", auth=None).json()["first_use"] is False
    reachable = start(host="0.0.0.0")  # noqa: S104
    assert reachable.get("/version", auth=None).json()["first_use"] is False


def test_it_gives_the_figures_of_the_pack(start: Callable[..., Any], matcher: FaceMatcher) -> None:
    from facematch_local.matcher import FaceMatcher as Matcher
    from facematch_local.packs.expectations import read_expectations

    expectations = read_expectations(Path(__file__).parents[2] / "models" / "standard")
    assert expectations is not None
    live = start(matcher=Matcher(replace(matcher.pack, expectations=expectations)))
    told = live.get("/version", auth=None).json()["expectations"]
    assert told == expectations.model_dump(mode="json")
    assert told["mated_per_100"][0]["match"] == 95


def test_a_notice_is_told_there_and_once_in_the_log(start: Callable[..., Any], matcher: FaceMatcher) -> None:
    from facematch_local.calibration import GENERIC
    from facematch_local.matcher import FaceMatcher as Matcher

    notice = "the pack 'standard' is not installed (no index), so 'compact' is in use"
    pack = replace(matcher.pack, pack=replace(matcher.pack.pack, notice=notice), calibration=GENERIC)
    live = start(matcher=Matcher(pack))
    about = live.get("/version").json()
    assert (about["notice"], about["calibrated"], about["calibration"]) == (notice, False, GENERIC.id)
    assert sum(notice in line for line in live.logs) == 1


def test_a_pack_that_is_asked_for_and_not_installed_is_not_replaced_by_another(
    facematch: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = tmp_path / "models" / "mine"
    described.mkdir(parents=True)
    (described / "pack.toml").write_text(
        'name = "mine"\nbase = "compact"\n[source]\npackage = "faces"\nversion = "1"\narchive = "f.whl"\n'
        'sha256 = "ab"\n[tasks.recognition]\nfile = "rec.onnx"\nsha256 = "cd"\nsource = "f/rec.onnx"\n'
    )
    for name, value in {"PACK": "mine", "MODELS": tmp_path / "models", "DATA_DIR": tmp_path}.items():
        monkeypatch.setenv(f"FACEMATCH_{name}", str(value))
    done = facematch("serve", "--port", "0")
    assert done.code == 2
    assert done.err.startswith("facematch: cannot start: the pack 'mine' is not installed: ")
    assert done.err.endswith("install them with `facematch models add mine`\n")
    assert done.err.count("\n") == 1


def test_the_files_of_the_page_are_checked_for_changes(live: Any) -> None:
    page = live.get("/", auth=None)
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    script = live.get("/static/js/app.js", auth=None)
    assert (page.headers["Cache-Control"], script.headers["Cache-Control"]) == ("no-cache", "no-cache")
    again = live.get("/static/js/app.js", auth=None, headers={"If-None-Match": script.headers["ETag"]})
    assert again.status_code == 304
