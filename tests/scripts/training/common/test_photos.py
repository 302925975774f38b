"""The list of photos follows the project's split and adds the half that the portraits' trainings keep."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from scripts.development.split import held_out, held_out_people
from scripts.training.common.photos import list_photos, list_portraits, load_photo

PAIRS = (
    "path1,path2,same,fold\nlfw/Ada/Ada_0001.jpg,lfw/Ada/Ada_0002.jpg,1,7\nlfw/Bo/Bo_0001.jpg,lfw/Cy/Cy_0001.jpg,0,1\n"
)
LABELS = "path,label\nmasks/1.jpg,mask\nlfw/Bo/Bo_0001.jpg,hat_pseudo\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    names = [f"lfw/{person}/{person}_0001.jpg" for person in ("Ada", "Bo", "Cy", "Dee", "Eli", "Flo", "Gus", "Hal")]
    names += [f"asian_faces/p0{number}/1.jpg" for number in range(1, 9)]
    names += [f"{folder}/{number}.jpg" for folder in ("masks", "no_card", "spoof") for number in range(8)]
    for name in [*names, "masks/readme.txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "lfw_pairs.csv").write_text(PAIRS)
    (tmp_path / "labels.csv").write_text(LABELS)
    return tmp_path


def test_held_out_is_what_the_project_holds_out(data: Path) -> None:
    people = held_out_people(data / "lfw_pairs.csv")
    assert people == {"Ada"}
    photos = list_photos(data)
    assert len(photos) == 32
    assert [photo.source for photo in photos][::8] == ["lfw", "asian_faces", "masks", "no_card"]
    assert {photo.path: photo.held_out for photo in photos} == {
        photo.path: held_out(photo.path, people) for photo in photos
    }
    assert {photo.held_out for photo in photos if photo.source == "masks"} == {True, False}


def test_portraits_keep_half_of_the_people_and_lend_some(data: Path) -> None:
    photos = {photo.path: photo for photo in list_portraits(data)}
    assert all(photo.reserved for photo in photos.values() if photo.held_out)
    assert all(photo.reserved and not photo.held_out for photo in photos.values() if photo.lent)
    named = [photo for photo in photos.values() if photo.source in ("lfw", "asian_faces")]
    assert {(photo.held_out, photo.reserved) for photo in named} == {(True, True), (False, True), (False, False)}
    # By the SHA-256 of the folder's name: an odd first byte reserves, an even second one lends.
    more = {Path(photo.path).parent.name for photo in named if photo.reserved and not photo.held_out}
    assert more == {"Bo", "Dee", "Eli", "Flo", "Hal", "p05"}
    assert {Path(photo.path).parent.name for photo in named if photo.lent} == {"Bo", "Dee", "Flo"}
    assert all(photo.held_out == photo.reserved for photo in photos.values() if photo not in named)
    assert all(photo.held_out for photo in photos.values() if photo.source == "spoof")
    assert photos["masks/1.jpg"].label == "mask"
    assert photos["lfw/Bo/Bo_0001.jpg"].label == "hat"
    assert photos["lfw/Cy/Cy_0001.jpg"].label == ""
    assert {p.path for p in photos.values() if p.occlusion_trains_on_it} == {
        p.path for p in photos.values() if not p.reserved or p.lent
    }


def test_lfw_without_its_pairs_is_refused(data: Path) -> None:
    (data / "lfw_pairs.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"lfw_pairs\.csv: missing"):
        list_photos(data)


def test_a_photo_is_reduced_never_enlarged(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), np.zeros((100, 200, 3), np.uint8))
    (tmp_path / "text.png").write_text("not a photo")
    reduced, whole = load_photo(tmp_path / "photo.png", 50), load_photo(tmp_path / "photo.png", 400)
    assert reduced is not None
    assert whole is not None
    assert (reduced.shape, whole.shape) == ((25, 50, 3), (100, 200, 3))
    assert load_photo(tmp_path / "text.png") is None


def test_a_set_of_one_photo_a_person_keeps_half_of_the_photos_that_are_not_held_out_and_lends_none(data: Path) -> None:
    for number in range(64):
        (data / "east_asian_people").mkdir(exist_ok=True)
        (data / "east_asian_people" / f"{number}.jpg").touch()
    photos = [photo for photo in list_photos(data, ("east_asian_people",)) if not photo.held_out]
    reserved = sum(photo.reserved for photo in photos)
    assert 0.3 * len(photos) < reserved < 0.7 * len(photos)
    assert all(photo.occlusion_trains_on_it != photo.reserved for photo in photos)
