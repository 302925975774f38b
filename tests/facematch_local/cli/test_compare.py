"""`facematch compare` on real photos."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, astronaut_jpeg: bytes, group_photo_jpeg: bytes) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "astronaut.jpg").write_bytes(astronaut_jpeg)
    (folder / "group.jpg").write_bytes(group_photo_jpeg)
    (folder / "broken.jpg").write_bytes(astronaut_jpeg[:5000])
    Image.new("RGB", (300, 200), (90, 90, 90)).save(folder / "blank.png")
    return folder


def test_table(facematch: Command, photos: Path, pack_path: Path) -> None:
    completed = facematch("compare", photos / "astronaut.jpg", photos / "astronaut.jpg", "--pack", pack_path)
    assert completed.code == 0
    assert completed.out.startswith("100.00 %  match  cosine 1.0000")
    for part in ("Image 1: card, 512 x 512, 1 face", "Image 2: portrait", "inter eye distance", "at least", "passed"):
        assert part in completed.out
    assert completed.err == ""


def test_json_holds_every_measure_with_limit_and_outcome(facematch: Command, photos: Path, pack_path: Path) -> None:
    completed = facematch(
        "compare", photos / "group.jpg", photos / "astronaut.jpg", "--pack", pack_path, "--type1", "portrait", "--json"
    )
    assert completed.code == 0
    result = json.loads(completed.out)
    assert result["verdict"] == "no_match"
    assert result["match"] == -1
    assert {6} <= {warning["code"] for warning in result["warnings"]}
    assert [photo["role"] for photo in result["images"]] == ["portrait", "portrait"]
    assert len(result["images"][0]["faces"]) == 6
    for finding in result["findings"]:
        assert finding["outcome"] in ("passed", "warning", "not_assessed")
        assert finding["minimum"] is not None or finding["maximum"] is not None
    # No photo and no embedding: nothing but short strings and numbers.
    assert "embedding" not in completed.out
    assert len(completed.out) < 20_000


def test_no_face(facematch: Command, photos: Path, pack_path: Path) -> None:
    completed = facematch("compare", photos / "blank.png", photos / "astronaut.jpg", "--pack", pack_path)
    assert completed.code == 0
    assert completed.out.startswith("0.00 %  no match  nothing to compare: no face in image 1")
    assert "The ID card photo does not contain a face" in completed.out
    assert "not assessed: no face was found" in completed.out


@pytest.mark.parametrize(("second", "code"), [("astronaut.jpg", 0), ("group.jpg", 1)])
def test_exit_code_on_request(facematch: Command, photos: Path, pack_path: Path, second: str, code: int) -> None:
    arguments = ("compare", photos / "astronaut.jpg", photos / second, "--pack", pack_path, "--exit-code")
    assert facematch(*arguments).code == code


@pytest.mark.parametrize("first", ["astronaut.jpg", pytest.param("group.jpg", marks=pytest.mark.slow), "blank.png"])
def test_picture(
    facematch: Command, photos: Path, pack_path: Path, tmp_path: Path, first: str, astronaut: NDArray[np.uint8]
) -> None:
    target = tmp_path / "out.png"
    completed = facematch(
        "compare", photos / first, photos / "astronaut.jpg", "--pack", pack_path, "--save-picture", target
    )
    assert completed.code == 0
    picture = np.asarray(Image.open(target).convert("RGB"))
    assert picture.shape == (920, 1180, 3)
    # The right panel shows photo 2: its average is the photo's, but for box, landmarks and label.
    panel = picture[76:636, 600:1160].reshape(-1, 3).mean(axis=0)
    assert np.abs(panel - astronaut[:, :, ::-1].reshape(-1, 3).mean(axis=0)).max() < 6
    colour = (22, 128, 61) if first == "astronaut.jpg" else (185, 28, 28)
    assert (picture[76:636, 600:1160] == colour).all(axis=2).sum() > 500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("broken.jpg", "astronaut.jpg"), "facematch: broken.jpg: the photo is truncated"),
        (("astronaut.jpg", "missing.jpg"), "missing.jpg: No such file or directory"),
        (("astronaut.jpg", "."), "Is a directory"),
        (("astronaut.jpg", "astronaut.jpg", "--save-picture", "out.docx"), "the picture must be a .png or .jpg file"),
        (("astronaut.jpg", "astronaut.jpg", "--save-picture", "no/such/folder/out.png"), "No such file or directory"),
        (
            ("astronaut.jpg", "astronaut.jpg", "--policy", "missing.toml"),
            "missing.toml: cannot be read",
        ),
    ],
)
def test_errors(
    facematch: Command,
    photos: Path,
    pack_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.chdir(photos)
    completed = facematch("compare", *arguments, "--pack", pack_path)
    assert completed.code == 2
    assert message in completed.err
    assert completed.err.count("\n") == 1
    assert completed.out == ""


def test_no_pack(facematch: Command, photos: Path) -> None:
    completed = facematch("compare", photos / "astronaut.jpg", photos / "astronaut.jpg", "--pack", "absent")
    assert completed.code == 2
    assert completed.err.startswith("facematch: no model pack 'absent': ")
    assert completed.err.count("\n") == 1


def test_execution_providers(facematch: Command, photos: Path, pack_path: Path) -> None:
    call = ("compare", photos / "astronaut.jpg", photos / "astronaut.jpg", "--pack", pack_path, "--providers")
    completed = facematch(*call, "directml,cpu", "--json")
    assert completed.code == 0
    assert json.loads(completed.out)["verdict"] == "match"
    assert completed.err.startswith("directml is not used, but cpu: not in onnxruntime")
    completed = facematch(*call, "directml")
    assert (completed.code, completed.out) == (2, "")
    assert "no execution provider of directml can be used. directml: not in onnxruntime" in completed.err
    completed = facematch(*call, "gpu")
    assert (completed.code, completed.out) == (2, "")
    assert "unknown execution provider 'gpu'; known are auto, cpu, openvino, cuda" in completed.err
