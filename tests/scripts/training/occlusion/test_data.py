"""The reviewed labels of the occlusion network."""

from __future__ import annotations

from scripts.training.common.photos import Photo, read_rows
from scripts.training.common.repository import LEFT_OUT
from scripts.training.occlusion.data import HAT_REVIEW, OUTPUTS, REVIEW, known_labels, reviewed
from scripts.training.occlusion.occluders import UNKNOWN, Labels


def test_the_reviews_name_outputs_and_photos() -> None:
    seen = reviewed()
    assert len(seen) >= len(read_rows(REVIEW)) > 900
    assert {row["path"] for row in read_rows(HAT_REVIEW)} <= set(seen)
    assert {name for notes in seen.values() for name in notes} <= {*OUTPUTS, "unusable"}
    assert {value for notes in seen.values() for value in notes.values()} <= {"1", "0", str(UNKNOWN)}
    assert len(read_rows(LEFT_OUT)) == 266


def test_what_was_seen_corrects_the_label() -> None:
    notes = reviewed()
    unusable = next(path for path, note in notes.items() if note.get("unusable") == "1")
    hat = next(path for path, note in notes.items() if note.get("head_covering") == "1" and "unusable" not in note)
    photos = [
        Photo(unusable, "masks", False, "mask"),
        Photo(hat, "lfw", False),
        Photo("lfw/no/no_0001.jpg", "lfw", False),
    ]
    known = known_labels(photos)
    assert unusable not in known
    assert known[hat].head_covering == 1
    assert known["lfw/no/no_0001.jpg"] == Labels(clear_glasses=UNKNOWN)
