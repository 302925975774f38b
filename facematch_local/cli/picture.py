"""Picture of a comparison: both photos with faces and warnings, and the aligned crops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from facematch_local.calibration import Verdict
from facematch_local.cli.finding_text import allowed_text, value_text

if TYPE_CHECKING:
    from facematch_local.faces import Face
    from facematch_local.result import MatchResult, PhotoResult

PANEL: Final = 560
CROP: Final = 224
GAP: Final = 20
HEAD: Final = 76
NOTES_WIDTH: Final = PANEL - CROP - GAP
NOTES_HEAD: Final = 56

# RGB. The colour of the verdict also marks the compared faces; other faces are grey.
_VERDICTS: Final = {
    Verdict.MATCH: ((22, 128, 61), "match"),
    Verdict.UNSURE: ((180, 100, 0), "unsure"),
    Verdict.NO_MATCH: ((185, 28, 28), "no match"),
}
_PAPER, _INK, _GREY, _ALARM = (250, 250, 249), (40, 38, 36), (130, 128, 126), (185, 28, 28)


@dataclass(frozen=True, slots=True)
class Note:
    """One line of text.

    Attributes:
        text: fits into `NOTES_WIDTH`.
        colour: RGB.
        size: of the font, in pixels.
    """

    text: str
    colour: tuple[int, int, int]
    size: int


def draw(result: MatchResult) -> NDArray[np.uint8]:
    """Draw a result: HxWx3 uint8 BGR."""
    colour, word = _VERDICTS[result.verdict]
    lines = [notes(result, number) for number in (1, 2)]
    notes_height = NOTES_HEAD + max(sum(note.size + 6 for note in column) for column in lines)
    width, height = 2 * PANEL + 3 * GAP, HEAD + PANEL + max(CROP, notes_height) + 3 * GAP
    canvas = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(canvas)
    title = f"{result.percent:.2f} %" if result.cosine is not None else "nothing to compare"
    pen.text((GAP, 16), title, colour, font=_font(40))
    pen.text((GAP + pen.textlength(title, font=_font(40)) + 24, 26), word, colour, font=_font(28))
    made_by = f"{result.pack}  ·  calibration {result.calibration}  ·  policy {result.policy}"
    pen.text((width - GAP, 46), made_by, _GREY, font=_font(15), anchor="rm")
    for index, photo in enumerate(result.images):
        left = GAP + index * (PANEL + GAP)
        _draw_photo(canvas, pen, photo, (left, HEAD), colour)
        below = HEAD + PANEL + GAP
        if photo.aligned is not None:
            aligned = cv2.resize(photo.aligned, (CROP, CROP), interpolation=cv2.INTER_CUBIC)
            canvas.paste(Image.fromarray(aligned[:, :, ::-1].astype(np.uint8)), (left, below))
        _draw_notes(pen, photo, index + 1, lines[index], (left + CROP + GAP, below))
    return np.asarray(canvas)[:, :, ::-1]


def _draw_photo(
    canvas: Image.Image, pen: ImageDraw.ImageDraw, photo: PhotoResult, corner: tuple[int, int], colour: tuple[int, ...]
) -> None:
    pixels = photo.photo.pixels
    scale = PANEL / max(photo.photo.width, photo.photo.height)
    size = max(round(photo.photo.width * scale), 1), max(round(photo.photo.height * scale), 1)
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = corner[0] + (PANEL - size[0]) // 2, corner[1] + (PANEL - size[1]) // 2
    canvas.paste(Image.fromarray(small[:, :, ::-1].astype(np.uint8)), (left, top))
    for face in reversed(photo.faces):
        compared = face is photo.face
        _draw_face(pen, face, scale, (left, top), colour if compared else _GREY, compared)


def _draw_face(
    pen: ImageDraw.ImageDraw,
    face: Face,
    scale: float,
    corner: tuple[int, int],
    colour: tuple[int, ...],
    compared: bool,
) -> None:
    box = (face.box.reshape(2, 2) * scale + corner).ravel().tolist()
    pen.rectangle(box, outline=colour, width=3 if compared else 2)
    if not compared:
        return
    label = f"{face.score:.2f}"
    wide = pen.textlength(label, font=_font(16)) + 10
    # Draw the label inside the box if the photo ends just above it.
    top = box[1] - 22 if box[1] - 22 > corner[1] else box[1]
    pen.rectangle((box[0], top, box[0] + wide, top + 22), fill=colour)
    pen.text((box[0] + 5, top + 2), label, "white", font=_font(16))
    for x, y in (face.landmarks * scale + corner).tolist():
        pen.ellipse((x - 4, y - 4, x + 4, y + 4), fill=colour, outline="white", width=1)


def notes(result: MatchResult, image: int) -> list[Note]:
    """The lines about a photo's warnings: for each one its code, its text, and the measures outside their limits."""
    from facematch_local.policy import Outcome

    failed = [finding for finding in result.findings if finding.image == image and finding.outcome is Outcome.WARNING]
    lines = []
    for code in sorted({finding.limit.code for finding in failed}):
        lines += [Note(text, _ALARM, 16) for text in _wrapped(f"{int(code)}  {code.message}", 16)]
        for finding in failed:
            if finding.limit.code == code:
                found = f"{finding.name.replace('_', ' ')} {value_text(finding)}, allowed {allowed_text(finding)}"
                lines += [Note(text, _GREY, 14) for text in _wrapped(found, 14)]
    return lines or [Note("no warning", _GREY, 15)]


def _wrapped(text: str, size: int) -> Iterator[str]:
    """`text` in lines of at most `NOTES_WIDTH` pixels, divided between words."""
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and _font(size).getlength(longer) > NOTES_WIDTH:
            yield line
            longer = word
        line = longer
    yield line


def _draw_notes(
    pen: ImageDraw.ImageDraw, photo: PhotoResult, image: int, notes: list[Note], corner: tuple[int, int]
) -> None:
    pen.text(corner, f"Image {image}: {photo.role.value}", _INK, font=_font(18))
    count = len(photo.faces)
    pen.text((corner[0], corner[1] + 26), f"{count} face{'' if count == 1 else 's'} found", _GREY, font=_font(15))
    top = corner[1] + NOTES_HEAD
    for note in notes:
        pen.text((corner[0], top), note.text, note.colour, font=_font(note.size))
        top += note.size + 6


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    # Pillow's own font; without FreeType it is a bitmap font of one small size.
    return ImageFont.load_default(size)
