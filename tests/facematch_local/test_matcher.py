"""One match, start to end, with real weights."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facematch_local
from facematch_local import FaceMatcher, ImageFormatError, NoContentError, Verdict, WarningCode
from facematch_local.errors import PhotoError
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import ImageLimits, Photo
from facematch_local.matcher import face_crop
from facematch_local.policy import Outcome

Pixels = NDArray[np.uint8]


def test_the_five_lines_of_the_readme(pack_path: Path, astronaut_jpeg: bytes, tmp_path: Path) -> None:
    (tmp_path / "card.jpg").write_bytes(astronaut_jpeg)
    (tmp_path / "selfie.jpg").write_bytes(astronaut_jpeg)

    from facematch_local import FaceMatcher

    matcher = FaceMatcher.open(pack_path)
    card, selfie = (tmp_path / "card.jpg").read_bytes(), (tmp_path / "selfie.jpg").read_bytes()
    result = matcher.match(card, selfie)

    assert (result.percent, result.verdict) == (100.0, Verdict.MATCH)


def test_same_person(matcher: FaceMatcher, astronaut: Pixels, astronaut_jpeg: bytes) -> None:
    darker = cv2.convertScaleAbs(astronaut[20:400, 60:440], alpha=0.7, beta=10).astype(np.uint8)
    result = matcher.match(astronaut_jpeg, darker, "portrait")
    assert result.verdict is Verdict.MATCH
    assert result.cosine is not None
    assert result.percent == matcher.pack.calibration.percent(result.cosine)


def test_other_person(matcher: FaceMatcher, astronaut: Pixels, group_photo: Pixels) -> None:
    for face in matcher.pack.analyser.find(group_photo):
        other = face_crop(Photo(group_photo), face, margin=0.6)
        assert matcher.match(other, astronaut, "portrait").verdict is Verdict.NO_MATCH


def test_mirrored_arguments_give_the_same_number(matcher: FaceMatcher, astronaut: Pixels, group_photo: Pixels) -> None:
    there = matcher.match(astronaut, group_photo, "portrait")
    back = matcher.match(group_photo, astronaut, "portrait")
    assert there.percent == back.percent
    assert there.warnings == back.warnings


def test_bytes_arrays_and_photos_are_taken_alike(matcher: FaceMatcher, astronaut_jpeg: bytes) -> None:
    photo = decode(astronaut_jpeg)
    results = [matcher.match(image, photo) for image in (astronaut_jpeg, photo.pixels, photo)]
    assert {result.percent for result in results} == {100.0}


@pytest.mark.slow
def test_a_photo_of_48_megapixels(matcher: FaceMatcher, astronaut: Pixels) -> None:
    huge = cv2.resize(astronaut[:384], (8000, 6000), interpolation=cv2.INTER_CUBIC)
    data = cv2.imencode(".jpg", huge, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    result = matcher.match(data, astronaut, "portrait")
    assert result.images[0].photo.scale == 0.25
    assert result.verdict is Verdict.MATCH
    assert result.images[0].face is not None
    # Measures speak of the original's pixels.
    distance = next(f.measure.value for f in result.findings if f.image == 1 and f.name == "inter_eye_distance")
    assert distance == pytest.approx(result.images[0].face.inter_eye_distance * 4)


def test_no_face_never_matches(matcher: FaceMatcher, astronaut: Pixels) -> None:
    nothing = np.full((300, 400, 3), 90, np.uint8)
    for first, second, code in (
        (astronaut, nothing, WarningCode.NO_FACE_ON_PORTRAIT),
        (nothing, astronaut, WarningCode.NO_FACE_ON_CARD),
        (nothing, nothing, WarningCode.NO_FACE_ON_CARD),
    ):
        result = matcher.match(first, second)
        assert (result.percent, result.verdict, result.cosine) == (0.0, Verdict.NO_MATCH, None)
        assert code in result.warnings
        assert result.warning is result.warnings[0] is min(result.warnings)
    assert result.images[0].face is result.images[0].crop is result.images[0].aligned is None


def test_several_faces(matcher: FaceMatcher, astronaut: Pixels, group_photo: Pixels) -> None:
    assert WarningCode.SEVERAL_FACES in matcher.match(astronaut, group_photo, "portrait").warnings
    assert WarningCode.SEVERAL_FACES not in matcher.match(astronaut, astronaut, "portrait").warnings


def card_with_ghost(astronaut: Pixels, ghost: Pixels) -> Pixels:
    """A card-like picture with a portrait at the left and a paler, smaller one at the right."""
    card = np.full((500, 800, 3), (200, 215, 205), np.uint8)
    card[100:400, 40:340] = cv2.resize(astronaut[0:300, 80:380], (300, 300))
    small = cv2.resize(ghost, (170, 170)).astype(np.float32)
    card[200:370, 560:730] = (0.6 * small + 0.4 * 210).astype(np.uint8)
    return card


def test_the_ghost_portrait_is_not_a_second_person(
    matcher: FaceMatcher, astronaut: Pixels, group_photo: Pixels
) -> None:
    own = matcher.match(card_with_ghost(astronaut, astronaut[0:300, 80:380]), astronaut)
    assert len(own.images[0].faces) == 2, "the ghost must be found, or the test shows nothing"
    assert WarningCode.SEVERAL_FACES not in own.warnings
    stranger = face_crop(Photo(group_photo), matcher.pack.analyser.find(group_photo)[0], margin=0.5)
    other = matcher.match(card_with_ghost(astronaut, stranger), astronaut)
    assert len(other.images[0].faces) == 2
    assert WarningCode.SEVERAL_FACES in other.warnings
    # On a portrait there are no ghosts: two prints of one face are two faces.
    portrait = matcher.match(card_with_ghost(astronaut, astronaut[0:300, 80:380]), astronaut, "portrait")
    assert WarningCode.SEVERAL_FACES in portrait.warnings
    # The policy says how alike they must be.
    strict = FaceMatcher(matcher.pack, replace(matcher.policy, ghost_percent=100.0))
    again = strict.match(card_with_ghost(astronaut, astronaut[0:300, 80:380]), astronaut)
    assert WarningCode.SEVERAL_FACES in again.warnings


@pytest.mark.parametrize(
    ("first", "second", "error", "image"),
    [
        (b"", b"x", NoContentError, 1),
        (b"x", b"", ImageFormatError, 1),  # that of the first photo is told
        (b"x", b"x", ImageFormatError, 1),
        (None, b"", NoContentError, 2),
        (None, b"x", ImageFormatError, 2),
    ],
)
def test_errors(
    matcher: FaceMatcher, astronaut_jpeg: bytes, first: bytes | None, second: bytes, error: type[PhotoError], image: int
) -> None:
    with pytest.raises(error) as caught:
        matcher.match(astronaut_jpeg if first is None else first, second)
    assert caught.value.image == image


def test_an_error_about_a_single_photo_names_none(matcher: FaceMatcher) -> None:
    with pytest.raises(ImageFormatError) as caught:
        matcher.examine(b"x", "card")
    assert caught.value.image is None


def test_the_outline_of_the_document(matcher: FaceMatcher) -> None:
    from facematch_local.synthetic.samples import Studio

    astronaut = Studio().astronaut
    canvas = np.full((900, 1300, 3), 90, np.uint8)
    card = Studio().photos()["card.jpg"]
    height, width = card.shape[:2]
    canvas[150 : 150 + height, 200 : 200 + width] = card
    result, _ = matcher.examine(canvas, "card")
    assert result.document is not None
    assert result.document.shape == (4, 2)
    corners = [(200, 150), (200 + width, 150), (200 + width, 150 + height), (200, 150 + height)]
    assert np.abs(result.document - corners).max() < 60
    assert matcher.examine(canvas, "portrait")[0].document is None
    assert matcher.examine(astronaut, "portrait")[0].document is None


def test_unknown_type(matcher: FaceMatcher, astronaut_jpeg: bytes) -> None:
    with pytest.raises(ValueError, match="passport"):
        matcher.match(astronaut_jpeg, astronaut_jpeg, "passport")


def test_limits_are_those_given(pack_path: Path, astronaut_jpeg: bytes) -> None:
    with pytest.raises(ImageFormatError, match="pixels"):
        FaceMatcher.open(pack_path, limits=ImageLimits(max_pixels=1000)).match(astronaut_jpeg, astronaut_jpeg)


def test_every_finding_names_its_photo_and_limit(matcher: FaceMatcher, astronaut: Pixels) -> None:
    result = matcher.match(astronaut, astronaut)
    assert {finding.image for finding in result.findings} == {1, 2}
    for finding in result.findings:
        assert (finding.measure.value is None) == (finding.outcome is Outcome.NOT_ASSESSED)
        assert (finding.measure.reason != "") == (finding.outcome is Outcome.NOT_ASSESSED)
    held = {finding.limit.code for finding in result.findings if finding.outcome is Outcome.WARNING}
    assert set(result.warnings) == held


def test_result_says_what_made_it(matcher: FaceMatcher, astronaut: Pixels) -> None:
    result = matcher.match(astronaut, astronaut)
    assert result.pack == f"{matcher.pack.pack.name} {matcher.pack.pack.version}".strip()
    assert result.calibration == matcher.pack.calibration.id
    assert result.policy == matcher.policy.version
    assert set(result.timings) == {"decode", "detect", "embed", "checks", "total"}
    assert all(seconds >= 0 for seconds in result.timings.values())


def test_examine_is_half_a_match(matcher: FaceMatcher, astronaut: Pixels) -> None:
    photo, findings = matcher.examine(astronaut, "portrait")
    result = matcher.match(astronaut, astronaut, "portrait")
    assert photo.face is not None
    assert [finding.measure for finding in findings] == [f.measure for f in result.findings if f.image == 1]


@pytest.mark.usefixtures("real_inference")
def test_many_threads_give_what_one_gives(
    matcher: FaceMatcher, astronaut: Pixels, encode: Callable[..., bytes]
) -> None:
    photos = [encode(astronaut[:260, 120:360]), encode(astronaut[:300, 100:400], "PNG")]
    pairs = [(first, second) for first in photos for second in photos]
    expected = [matcher.match(*pair) for pair in pairs]
    with ThreadPoolExecutor(8) as pool:
        for want, got in zip(expected, pool.map(lambda pair: matcher.match(*pair), pairs), strict=True):
            assert (got.percent, got.verdict, got.warnings) == (want.percent, want.verdict, want.warnings)


def test_inputs_are_left_alone(matcher: FaceMatcher, astronaut: Pixels) -> None:
    before = astronaut.copy()
    matcher.match(astronaut, astronaut)
    assert np.array_equal(before, astronaut)


def test_face_crop_stays_inside(matcher: FaceMatcher, astronaut: Pixels) -> None:
    face = matcher.pack.analyser.find(astronaut)[0]
    crop = face_crop(Photo(astronaut), face)
    assert crop.shape[0] == pytest.approx(1.5 * face.height, abs=2)
    for shift in ((-1000, -1000), (1000, 1000)):
        from dataclasses import replace

        outside = replace(face, box=face.box + np.array(shift * 2, np.float32))
        assert face_crop(Photo(astronaut), outside).size > 0


def test_exports() -> None:
    for name in facematch_local.__all__:
        assert getattr(facematch_local, name) is not None
    with pytest.raises(AttributeError, match="Nothing"):
        _ = facematch_local.Nothing
    assert set(facematch_local.__all__) <= set(dir(facematch_local))


def test_large_photos_take_turns(matcher: FaceMatcher, astronaut: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    class Turns(AbstractContextManager[None]):
        taken = 0

        def __exit__(self, *_: object) -> None:
            self.taken += 1

    turns = Turns()
    _, png = cv2.imencode(".png", astronaut)
    own = FaceMatcher(matcher.pack, large_photo_lock=turns)
    own.match(png.tobytes(), png.tobytes(), "portrait")
    assert turns.taken == 0
    monkeypatch.setattr("facematch_local.imaging.decode._LARGE", 500 * 500)
    own.match(png.tobytes(), png.tobytes(), "portrait")
    assert turns.taken == 2
