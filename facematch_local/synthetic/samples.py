"""Small synthetic photos that raise each error and warning of the contract through the real pipeline.

They are drawn over photos that come with required packages, with a fixed seed. They show that a check reacts to what it
is meant to detect; only real photos show how often it errs in the field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from facematch_local.codes import ErrorCode, WarningCode
from facematch_local.errors import FacematchError, ImageFormatError, NoContentError
from facematch_local.imaging.photo import Pixels
from facematch_local.imaging.resampling import scaled
from facematch_local.synthetic.cards import Card, draw_card
from facematch_local.synthetic.copies import photocopy
from facematch_local.synthetic.degradation import gaussian_blur
from facematch_local.synthetic.pixels import jpeg
from facematch_local.synthetic.scenes import lit
from facematch_local.synthetic.tampering import swap_portrait

if TYPE_CHECKING:
    from facematch_local.matcher import FaceMatcher

_SEED: Final = 5
# Inside the astronaut's photo: head and shoulders, the eyes, mouth and chin (x, y).
_HEAD_AND_SHOULDERS: Final = (slice(10, 290), slice(110, 340))
_EYES: Final = ((202, 100), (246, 105))
# One of the six people of the group photo.
_ONE_OF_SIX: Final = (slice(180, 480), slice(420, 620))


@dataclass(frozen=True, slots=True)
class Sample:
    """Two photos and the codes that they raise.

    Attributes:
        name: what the pair shows.
        image1: file name of image 1.
        image2: file name of image 2.
        type1: the type of image 1, `card` or `portrait`.
        error: `errorCode` of the reply.
        warning: `invalidCode` of the reply; None for a reply without a comparison.
        same_person: whether both photos show the same person; None where one of them shows nobody.
    """

    name: str
    image1: str
    image2: str
    type1: str = "card"
    error: int = ErrorCode.SUCCESS
    warning: int | None = WarningCode.SUCCESSFUL
    same_person: bool | None = True


SAMPLES: Final = (
    Sample("card and portrait", "card.jpg", "portrait.jpg"),
    Sample("two portraits", "portrait.jpg", "other_light.jpg", "portrait"),
    Sample("different people", "portrait.jpg", "other_person.jpg", "portrait", same_person=False),
    Sample("a selfie in place of the card", "portrait.jpg", "other_light.jpg", warning=WarningCode.NO_CARD),
    Sample("photocopy of the card", "photocopy.jpg", "portrait.jpg", warning=WarningCode.PHOTOCOPY),
    Sample("another portrait pasted on the card", "swapped.jpg", "other_person.jpg", warning=WarningCode.TAMPERING),
    Sample(
        "card without a portrait",
        "card_without_face.jpg",
        "portrait.jpg",
        warning=WarningCode.NO_FACE_ON_CARD,
        same_person=None,
    ),
    Sample("no face", "card.jpg", "no_face.jpg", warning=WarningCode.NO_FACE_ON_PORTRAIT, same_person=None),
    Sample("two people", "card.jpg", "two_people.jpg", warning=WarningCode.SEVERAL_FACES),
    Sample("sunglasses", "card.jpg", "sunglasses.jpg", warning=WarningCode.SUNGLASSES),
    Sample("hat", "card.jpg", "hat.jpg", warning=WarningCode.HAT),
    Sample("mask", "card.jpg", "mask.jpg", warning=WarningCode.MASK),
    Sample("out of focus", "card.jpg", "blurred.jpg", warning=WarningCode.RECAPTURE_OR_BLUR),
    Sample("far away", "card.jpg", "far_away.jpg", warning=WarningCode.FACE_TOO_SMALL),
    Sample("at the margin", "card.jpg", "at_the_margin.jpg", warning=WarningCode.FACE_TOO_CLOSE_TO_MARGIN),
    Sample("nothing in the file", "empty.jpg", "portrait.jpg", error=ErrorCode.NO_CONTENT, warning=None),
    Sample("no photo", "no_photo.jpg", "portrait.jpg", error=ErrorCode.BAD_IMAGE, warning=None),
)

WITHOUT_SAMPLE: Final = {
    "errorCode 2": "needs no photo: ask for a URL that is not there, such as http://unreachable.invalid/a.jpg",
    "errorCode 4": "needs no photo: a key with `--quota 0`, or the scenario `scenario-error-4`",
    "errorCode 5": "needs no photo: a wrong api_secret",
    "errorCode 6": "needs no photo: leave format_type out",
}


class Studio:
    """Draws the photos, each an HxWx3 uint8 BGR array."""

    @cached_property
    def astronaut(self) -> Pixels:
        """A woman in an orange suit before a flag, 512x512."""
        from skimage.data import astronaut

        return np.ascontiguousarray(astronaut()[:, :, ::-1])  # type: ignore[no-untyped-call]

    @cached_property
    def portrait(self) -> Pixels:
        """Her head and shoulders, twice as large."""
        import cv2

        part = self.astronaut[:400, 20:420]
        return np.asarray(cv2.resize(part, None, fx=1.5, fy=1.5, interpolation=cv2.INTER_CUBIC), np.uint8)

    def photos(self) -> Mapping[str, Pixels]:
        """All photos by file name."""
        rng = np.random.default_rng(_SEED)
        card = draw_card(np.ascontiguousarray(self.astronaut[_HEAD_AND_SHOULDERS]), rng, 900)
        return {
            "card.jpg": card.pixels,
            # Not enlarged, which could look like a recapture.
            "portrait.jpg": np.ascontiguousarray(self.astronaut[:400, 20:420]),
            "other_light.jpg": lit(self.portrait, rng, 0.8, (0.9, 1.0, 1.05)),
            "other_person.jpg": self.other_person(),
            "photocopy.jpg": photocopy(card.pixels, rng),
            "swapped.jpg": self.swapped(card),
            "card_without_face.jpg": self.card_without_face(card),
            "no_face.jpg": self.no_face(),
            "two_people.jpg": np.concatenate([self.portrait, self.portrait[:, ::-1]], axis=1),
            "sunglasses.jpg": self.sunglasses(),
            "hat.jpg": self.hat(),
            "mask.jpg": self.mask(),
            "blurred.jpg": gaussian_blur(self.portrait, 4),
            "far_away.jpg": scaled(self.astronaut, 0.5),
            "at_the_margin.jpg": np.ascontiguousarray(self.portrait[:, self._at(_EYES[0])[0] - 30 :]),
        }

    def other_person(self) -> Pixels:
        """Another person, cut from a group photo."""
        from insightface.data import get_image

        return np.ascontiguousarray(get_image("t1")[_ONE_OF_SIX])

    def swapped(self, card: Card) -> Pixels:
        """A JPEG of the card with a grainy portrait of another person pasted over its own.

        The forgery is coarse: its grain reveals it. A careful one may pass; `docs/warnings.md` gives the rates.
        """
        rng = np.random.default_rng(_SEED)
        saved = Card(jpeg(card.pixels, 60), card.portrait)
        photo = swap_portrait(saved, self.other_person(), rng, "paste")
        left, top, right, bottom = card.portrait
        pasted = photo[top:bottom, left:right]
        pasted[:] = np.clip(pasted + rng.normal(0, 15, pasted.shape), 0, 255).astype(np.uint8)
        return photo

    def card_without_face(self, card: Card) -> Pixels:
        """The card with a plain field instead of the portrait."""
        left, top, right, bottom = card.portrait
        pixels = card.pixels.copy()
        pixels[top:bottom, left:right] = (190, 180, 170)
        return pixels

    def no_face(self) -> Pixels:
        """A wall with a shadow."""
        y, x = np.mgrid[0:480, 0:480]
        tone = 150 + 40 * np.sin(x / 300) + 20 * np.cos(y / 200)
        return np.stack([0.8 * tone, 0.95 * tone, tone], axis=2).astype(np.uint8)

    def sunglasses(self) -> Pixels:
        """Dark lenses, a bridge and temples drawn over the eyes."""
        import cv2

        photo = self.portrait.copy()
        left, right = (self._at(eye) for eye in _EYES)
        for x, y in (left, right):
            cv2.ellipse(photo, (x, y + 4), (29, 25), 5, 0, 360, (18, 16, 15), -1, cv2.LINE_AA)
            cv2.ellipse(photo, (x - 8, y - 6), (9, 4), -25, 0, 360, (70, 66, 62), -1, cv2.LINE_AA)
        cv2.line(photo, (left[0] + 24, left[1]), (right[0] - 24, right[1]), (18, 16, 15), 6, cv2.LINE_AA)
        cv2.line(photo, (left[0] - 26, left[1]), (left[0] - 44, left[1] - 6), (18, 16, 15), 7, cv2.LINE_AA)
        cv2.line(photo, (right[0] + 26, right[1]), (right[0] + 44, right[1] + 2), (18, 16, 15), 7, cv2.LINE_AA)
        return photo

    def hat(self) -> Pixels:
        """A dark cap with a brim drawn over hair and forehead."""
        import cv2

        photo = self.portrait.copy()
        x, y = self._at((228, 72))
        cv2.ellipse(photo, (x, y), (100, 105), 6, 180, 360, (95, 45, 30), -1, cv2.LINE_AA)
        cv2.ellipse(photo, (x, y + 2), (108, 20), 6, 0, 360, (60, 28, 18), -1, cv2.LINE_AA)
        return photo

    def mask(self) -> Pixels:
        """A pale surgical mask drawn over nose, mouth and chin."""
        import cv2

        photo = self.portrait.copy()
        outline = [(180, 122), (220, 112), (262, 128), (258, 160), (242, 178), (214, 182), (188, 166)]
        shape = np.array([self._at(point) for point in outline], np.int32)
        cv2.fillPoly(photo, [shape], (215, 195, 160), cv2.LINE_AA)
        for step in range(1, 4):
            start, end = self._at((184, 122 + 13 * step)), self._at((258, 128 + 13 * step))
            cv2.line(photo, start, end, (190, 168, 130), 2, cv2.LINE_AA)
        return photo

    def _at(self, point: tuple[int, int]) -> tuple[int, int]:
        """Position in the portrait of a point (x, y) of the astronaut's photo."""
        return round((point[0] - 20) * 1.5), round(point[1] * 1.5)


def encoded() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file that `SAMPLES` names: JPEG files and two files that are not photos."""
    from facematch_local.imaging.decode import encode_jpeg

    for name, pixels in Studio().photos().items():
        yield name, encode_jpeg(pixels)
    yield "empty.jpg", b""
    yield "no_photo.jpg", b"These bytes are no photo.\n"


def outcome(sample: Sample, matcher: FaceMatcher, files: Mapping[str, bytes]) -> tuple[int, int | None, str]:
    """The outcome of a sample: `errorCode`, `invalidCode`, and a text with the percent and all warnings."""
    try:
        result = matcher.match(files[sample.image1], files[sample.image2], sample.type1)
    except NoContentError:
        return ErrorCode.NO_CONTENT, None, ErrorCode.NO_CONTENT.message
    except ImageFormatError:
        return ErrorCode.BAD_IMAGE, None, ErrorCode.BAD_IMAGE.message
    codes = ", ".join(code.message for code in result.warnings) or WarningCode.SUCCESSFUL.message
    return ErrorCode.SUCCESS, result.warning, f"{result.percent:.2f} %, {codes}"


def write(folder: Path) -> None:
    """Write all files, `index.json` and a README into a folder, which is created if it does not exist.

    Raises:
        FacematchError: the folder or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in encoded():
            (folder / name).write_bytes(data)
        index = {"pairs": [asdict(sample) for sample in SAMPLES], "without_sample": WITHOUT_SAMPLE}
        (folder / "index.json").write_text(json.dumps(index, indent=2) + "\n", "utf-8")
        (folder / "README.md").write_text(README, "utf-8")
    except OSError as error:
        raise FacematchError(f"{folder}: {error.strerror or 'cannot be written'}") from None


README: Final = """\
# Samples

Written by `facematch samples`. `index.json` lists the pairs of files: the `type1` to send, the `errorCode` (`error`)
and `invalidCode` (`warning`) of the reply, and whether both photos show the same person (`same_person`). `warning` is
the lowest warning; higher ones may be raised too. Other limits (`FACEMATCH_POLICY`) or another model pack may change an
outcome. `without_sample` explains the codes that need no photo.

Sources of the photos:

| Photo | Source | Rights |
|---|---|---|
| all others | Eileen Collins, by NASA (`skimage.data.astronaut` of scikit-image), drawn over | public domain |
| `other_person.jpg`, `swapped.jpg` | cut from insightface's sample `t1` | not stated: for tests only |
| `no_face.jpg` | drawn | Apache-2.0, as facematch-local |

The cards are invented; they do not imitate a document of any issuer.
"""
