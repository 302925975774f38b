"""`facematch evaluate verification` and `facematch calibrate` on real faces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facematch_local.matcher import FaceMatcher


@pytest.fixture(scope="module")
def people(
    tmp_path_factory: pytest.TempPathFactory,
    matcher: FaceMatcher,
    group_photo: NDArray[np.uint8],
    astronaut: NDArray[np.uint8],
    encode: Callable[..., bytes],
) -> Path:
    """Seven people, a folder each with three versions of one photo; and a photo without a face, and a damaged one."""
    from facematch_local.imaging.decode import from_array
    from facematch_local.matcher import face_crop

    folder = tmp_path_factory.mktemp("people")
    crops = []
    for photo in (group_photo, astronaut):
        found = [face for face in matcher.pack.analyser.find(photo) if face.height > 60]
        crops += [face_crop(from_array(photo), face, 0.5) for face in found[:6]]
    for number, crop in enumerate(crops):
        person = folder / f"person{number}"
        person.mkdir()
        versions = (crop, cv2.GaussianBlur(crop, (0, 0), 1.5), cv2.convertScaleAbs(crop, alpha=0.7, beta=30))
        for version, pixels in enumerate(versions):
            (person / f"{version}.jpg").write_bytes(encode(pixels))
    (folder / "person0" / "empty.png").write_bytes(encode(np.full((200, 200, 3), 90, np.uint8), "PNG"))
    (folder / "person1" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
    return folder


def test_evaluate_folders(people: Path, pack_path: Path, facematch: Callable[..., Any], tmp_path: Path) -> None:
    done = facematch(
        "evaluate",
        "verification",
        people,
        "--pack",
        pack_path,
        "--json",
        tmp_path / "o.json",
        "--html",
        tmp_path / "o.html",
    )
    assert done.code == 0, done.err
    data = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert (data["overall"]["people"], data["overall"]["mated"]) == (7, 21)
    assert data["overall"]["non_mated"] == 21 * 20 // 2 - 21
    # Two versions of one photo match (a small pack may miss the most blurred one), seven strangers never.
    assert data["at_percent"]["75"]["tmr"] >= 0.9
    assert data["at_percent"]["65"]["fmr"] == 0.0
    assert data["fta"] == pytest.approx(1 / 22)
    assert data["problems"]["count"] == 2
    assert "broken.jpg" in done.err
    assert "Traceback" not in done.err
    page = (tmp_path / "o.html").read_text("utf-8")
    assert page.count("<img") > 20


def test_evaluate_pairs_and_leave_faces_out(
    people: Path, pack_path: Path, facematch: Callable[..., Any], tmp_path: Path
) -> None:
    lines = ["path1,path2,same,group"]
    for person in range(7):
        lines.append(f"person{person}/0.jpg,person{person}/1.jpg,1,{'ab'[person % 2]}")
        lines.append(f"person{person}/0.jpg,person{(person + 2) % 7}/1.jpg,0,{'ab'[person % 2]}")
    lines += ["person0/0.jpg,nowhere.jpg,0,a", "person0/0.jpg,person1/0.jpg,x,a"]
    (people / "pairs.csv").write_text("\n".join(lines), "utf-8")
    done = facematch(
        "evaluate", "verification", people / "pairs.csv", "--pack", pack_path, "--no-thumbnails",
        "--json", tmp_path / "o.json", "--html", tmp_path / "o.html",
    )  # fmt: skip
    assert done.code == 0, done.err
    data = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert (data["overall"]["mated"], data["overall"]["non_mated"]) == (7, 7)
    assert [group["name"] for group in data["groups"]] == ["a", "b"]
    assert data["problems"]["count"] == 2
    assert "pairs.csv:17" in done.err
    assert "<img" not in (tmp_path / "o.html").read_text("utf-8")


def test_calibrate_refuses_few_people_and_check_needs_no_file(
    people: Path, pack_path: Path, facematch: Callable[..., Any], tmp_path: Path
) -> None:
    refused = facematch("calibrate", people, "--pack", pack_path, "--out", tmp_path / "c.json")
    assert refused.code == 2
    assert "people are too few" in refused.err
    assert not (tmp_path / "c.json").exists()
    checked = facematch("calibrate", people, "--pack", pack_path, "--check")
    assert checked.code == 0
    assert "too few comparisons" in checked.out


@pytest.mark.parametrize(
    ("source", "message"),
    [("none.csv", "No such file"), ("bad.csv", "needs the columns"), ("bad.json", "not the JSON of"), (".", "nothing")],
)
def test_bad_input_is_one_line(
    source: str, message: str, pack_path: Path, facematch: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", "utf-8")
    (tmp_path / "bad.json").write_text("[]", "utf-8")
    done = facematch("calibrate", tmp_path / source, "--pack", pack_path, "--out", tmp_path / "c.json")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    people: Path, pack_path: Path, facematch: Callable[..., Any], tmp_path: Path
) -> None:
    done = facematch("evaluate", "verification", people, "--pack", pack_path, "--json", tmp_path / "no" / "o.json")
    assert done.code == 2
    assert "does not exist" in done.err
    assert done.out == ""
