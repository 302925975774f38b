"""Bytes to an upright BGR array. Every limit on what may come in lives here.

Pillow reads the header (so limits are checked before anything is decoded) and decodes all formats but
two: pixels of ordinary JPEGs and WebPs come from OpenCV. It links the same libjpeg-turbo and libwebp and gives
the very same numbers, but writes BGR at once: a JPEG takes a third of the time, and a WebP a third of the memory
(Pillow's plugin is made for animations and holds several copies). Colour profiles are not applied: wide-gamut
phone photos read as sRGB come out a little duller, which moves neither recogniser nor checks, while converting
them costs more than decoding.
"""

from __future__ import annotations

import functools
import io
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.errors import ImageFormatError, ImageLimitError, NoContentError
from facematch_local.imaging.bitfields import decode_bitfields
from facematch_local.imaging.photo import ImageLimits, Photo
from facematch_local.imaging.structure import check_structure, exif_is_sane
from facematch_local.imaging.tones import on_white, to_bgr

if TYPE_CHECKING:
    from PIL import Image

# Named one by one: Pillow also opens formats that start other programs (EPS) or that no camera writes.
# Its JPEG opener also takes MPO, what some phones and stereo cameras write.
FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "HEIF", "AVIF")

_ORIENTATION_TAG: Final = 0x0112
# A JPEG is decoded at a half, quarter or eighth as long as this share of `max_side` is left.
_ENOUGH: Final = 0.6
# Photos that must be unpacked whole take up to 18 bytes a pixel while that lasts. Those above this many pixels may be
# unpacked one after the other: what a process needs at its peak then holds one of them, not one for each thread.
_LARGE: Final = 12_000_000
# No format of cameras has longer ones, and decoders keep tables by the row: 1.5 GB at 50 million rows.
_LONGEST_SIDE: Final = 65_535

_END: Final = b"\xff\xd9"
_ANY_BITS: Final = b"\x5a\xa5\x3c" * 64


def decode(data: bytes, limits: ImageLimits | None = None, turn: AbstractContextManager[object] | None = None) -> Photo:
    """Decode the first frame of a photo. Safe to call from several threads.

    JPEG, PNG, WebP, BMP, TIFF, GIF, HEIC/HEIF and AVIF; grey, palette, 16-bit, CMYK and transparent
    photos become 8-bit BGR (transparent areas white, as a viewer shows them).

    Args:
        data: the encoded photo.
        limits: default `ImageLimits()`.
        turn: held while a large photo is unpacked whole. A lock that several threads share makes such photos wait
            for each other, so that one of them is in memory at a time.

    Raises:
        NoContentError: `data` is empty.
        ImageFormatError: not one of the formats, damaged, truncated, over a limit or put together as no camera does
            (`structure.check_structure`).
    """
    limits = limits or ImageLimits()
    check_size(data, limits)
    check_structure(data)
    prepare()
    from PIL import Image

    if Image.MAX_IMAGE_PIXELS is not None and limits.max_pixels > 2 * Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = limits.max_pixels
    try:
        bitmap = decode_bitfields(data)
        if bitmap is not None:
            _check_pixels(bitmap.shape[1], bitmap.shape[0], limits)
            pixels = _limited(bitmap, limits.max_side)
            return Photo(pixels, max(pixels.shape[:2]) / max(bitmap.shape[:2]), "BMP")
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            original = max(image.size)
            _check_pixels(image.width, image.height, limits)
            with turn if turn is not None and _is_unpacked_whole(image) else nullcontext():
                pixels = _limited(_pixels(image, data, limits), limits.max_side)
            # After decoding, because some of Pillow's plugins (TIFF, HEIF) turn the photo themselves and say so.
            pixels = _upright(pixels, _orientation(image))
            return Photo(pixels, max(pixels.shape[:2]) / original, image.format or "")
    except ImageFormatError:
        raise
    # Pillow's plugins document no closed set of exceptions: damaged bytes were seen to raise OSError,
    # SyntaxError, ValueError, struct.error, EOFError, IndexError, KeyError, TypeError, RuntimeError,
    # zlib.error and DecompressionBombError. Whatever it is, the photo is what is wrong.
    except Exception as error:
        raise ImageFormatError(f"the photo cannot be decoded ({type(error).__name__})") from None


def check_size(data: bytes, limits: ImageLimits) -> None:
    """Refuse a photo by its encoded size alone.

    Raises:
        NoContentError: `data` is empty.
        ImageFormatError: it has more bytes than `limits` allow.
    """
    if not data:
        raise NoContentError("the photo has no bytes")
    if len(data) > limits.max_bytes:
        raise ImageLimitError(f"the photo is larger than {limits.max_bytes} bytes")


def from_array(pixels: NDArray[np.uint8]) -> Photo:
    """Take an HxWx3 uint8 BGR array (what `cv2.imread` gives) as a photo.

    Raises:
        ImageFormatError: another shape or dtype, or no pixels.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or pixels.size == 0:
        raise ImageFormatError("an array must be HxWx3 uint8 in BGR order")
    return Photo(np.ascontiguousarray(pixels))


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode an HxWx3 uint8 BGR array as JPEG.

    Raises:
        ImageFormatError: it cannot be, for its shape or dtype.
    """
    import cv2

    try:
        _, buffer = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error:
        raise ImageFormatError("the array cannot be encoded as JPEG") from None
    return buffer.tobytes()


@functools.cache
def prepare() -> None:
    """Load what decoding needs; `decode` does so the first time. Starts no thread."""
    # Registration is global to Pillow and idempotent; doing it here keeps `import facematch_local` light.
    import pillow_heif
    from PIL import Image

    from facematch_local.cpu import available_cpus

    # By default libheif starts four threads per photo, whatever the machine.
    pillow_heif.options.DECODE_THREADS = min(4, available_cpus())
    pillow_heif.register_heif_opener(thumbnails=False)
    # Pillow would do so for the first photo that is not of the common formats, which then took longer.
    Image.init()


def _check_pixels(width: int, height: int, limits: ImageLimits) -> None:
    if width * height > limits.max_pixels:
        raise ImageLimitError(f"the photo has more than {limits.max_pixels} pixels")
    if max(width, height) > _LONGEST_SIDE:
        raise ImageLimitError(f"the photo has a side of more than {_LONGEST_SIDE} pixels")


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where there is none. Many cameras and editors write damaged EXIF."""
    exif = image.info.get("exif")
    if isinstance(exif, bytes) and not exif_is_sane(exif):
        return 1
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # see `decode`: Pillow's EXIF parser raises what it likes
        return 1
    if isinstance(value, bytes) and len(value) == 1:  # of type BYTE instead of SHORT
        value = value[0]
    return value if value in range(1, 9) else 1


def _is_unpacked_whole(image: Image.Image) -> bool:
    """Whether it is large and decoding takes memory for all its pixels."""
    # Baseline JPEGs are reduced block by block; of a progressive one the decoder keeps all coefficients.
    whole = not _is_plain_jpeg(image) or "progressive" in image.info
    return whole and image.width * image.height > _LARGE


def _pixels(image: Image.Image, data: bytes, limits: ImageLimits) -> NDArray[np.uint8]:
    if _is_plain_jpeg(image):
        return _decode_jpeg(image, data, limits)
    if image.format == "WEBP" and not getattr(image, "is_animated", False):
        return _decode_webp(image, data)
    return _decode_other(image, limits)


def _is_plain_jpeg(image: Image.Image) -> bool:
    # CMYK JPEGs stay with Pillow, which knows of Adobe's inverted ones.
    return image.format in ("JPEG", "MPO") and image.mode in ("RGB", "L")


def _decode_jpeg(image: Image.Image, data: bytes, limits: ImageLimits) -> NDArray[np.uint8]:
    import cv2

    reduction = _reduction(max(image.size), limits.max_side)
    if not _jpeg_is_complete(data):
        data = data.rstrip(b"\xff")
        if not _lacks_its_end_only(data, reduction):
            raise ImageFormatError("the photo is truncated")
        data += _END
    flag = {
        1: cv2.IMREAD_COLOR,
        2: cv2.IMREAD_REDUCED_COLOR_2,
        4: cv2.IMREAD_REDUCED_COLOR_4,
        8: cv2.IMREAD_REDUCED_COLOR_8,
    }[reduction]
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise ImageFormatError("the photo is damaged")
    return pixels  # type: ignore[return-value]


def _lacks_its_end_only(data: bytes, reduction: int) -> bool:
    """Whether nothing of a JPEG without an end marker is missing: else whatever stands for it shows in the pixels."""
    from PIL import Image

    def pixels(end: bytes) -> NDArray[np.uint8]:
        # By Pillow, whose libjpeg keeps its complaints to itself.
        with Image.open(io.BytesIO(data + end), formats=("JPEG",)) as image:
            image.draft(None, (max(image.width // reduction, 1), max(image.height // reduction, 1)))
            return np.asarray(image)

    return np.array_equal(pixels(_END), pixels(_ANY_BITS + _END))


def _reduction(longest: int, max_side: int) -> int:
    """By how much a JPEG may be reduced while it is decoded: 1, 2, 4 or 8."""
    if longest <= max_side:
        return 1
    return max(factor for factor in (1, 2, 4, 8) if factor == 1 or longest / factor >= _ENOUGH * max_side)


def _jpeg_is_complete(data: bytes) -> bool:
    """Whether the end marker stands somewhere after the first scan's start.

    libjpeg fills what is missing of a truncated photo with grey, and not every build of OpenCV reports it.
    Markers before the scan are skipped by their lengths: an EXIF thumbnail has an end marker of its own.
    """
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xDA:  # start of scan
            return data.find(b"\xff\xd9", position) >= 0
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 0x01:  # fill byte, or marker without length
            position += 1 if marker == 0xFF else 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4])
    # Stray bytes between segments: decoders skip them, so leave the judgement to the decoder.
    return data.rfind(b"\xff\xd9") >= 0


def _decode_webp(image: Image.Image, data: bytes) -> NDArray[np.uint8]:
    import cv2

    transparent = image.mode == "RGBA"
    flag = cv2.IMREAD_UNCHANGED if transparent else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    if pixels is None or pixels.shape != (image.height, image.width, 4 if transparent else 3):
        raise ImageFormatError("the photo is damaged")
    return on_white(pixels) if transparent else pixels  # type: ignore[arg-type,return-value]


def _decode_other(image: Image.Image, limits: ImageLimits) -> NDArray[np.uint8]:
    reduction = _reduction(max(image.size), limits.max_side)
    if reduction > 1:
        image.draft(None, (image.width // reduction, image.height // reduction))  # CMYK JPEG; no-op elsewhere
    image.load()
    # A GIF's first frame may be larger than its header says.
    _check_pixels(image.width, image.height, limits)
    return to_bgr(image)


def _limited(pixels: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    import cv2

    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation: 1 to 8 as in EXIF 3.0, 4.6.5.1.6."""
    turned = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: p.transpose(1, 0, 2)[:, ::-1],
        7: lambda p: p.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda p: p.transpose(1, 0, 2)[::-1],
    }[orientation](pixels)
    return np.ascontiguousarray(turned)
