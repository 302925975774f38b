"""Decoding of a photo to an upright BGR array, with the limits on its bytes and pixels.

Pillow reads the header, so limits are checked before decoding, and decodes all formats except ordinary JPEG and WebP,
which OpenCV decodes. OpenCV links the same libjpeg-turbo and libwebp and returns identical pixels, but writes BGR
directly: a JPEG takes a third of the time, and a WebP a third of the memory (Pillow's plugin is designed for animations
and holds several copies). Colour profiles are not applied: wide-gamut photos read as sRGB look a little duller, which
affects neither recogniser nor checks, and a conversion costs more than decoding.
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
from facematch_local.imaging.resampling import limited
from facematch_local.imaging.structure import check_structure, exif_is_sane
from facematch_local.imaging.tones import on_white, to_bgr

if TYPE_CHECKING:
    from PIL import Image

# An explicit list: Pillow also opens formats that start other programs (EPS) or that cameras do not write.
# Pillow's JPEG opener also reads MPO, which some phones and stereo cameras write.
FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "HEIF", "AVIF")

_ORIENTATION_TAG: Final = 0x0112
# A JPEG is decoded at a half, quarter or eighth of its size if its longest side stays above this share of `max_side`.
_ENOUGH: Final = 0.6
# Photos that are decoded at full size take up to 18 bytes per pixel during decoding. Photos above this number of pixels
# may be decoded one at a time, so that the peak memory of the process contains one of them, not one for each thread.
_LARGE: Final = 12_000_000
# Camera formats do not have longer sides, and decoders keep tables per row: 1.5 GB at 50 million rows.
_LONGEST_SIDE: Final = 65_535

_END: Final = b"\xff\xd9"
_ANY_BITS: Final = b"\x5a\xa5\x3c" * 64


def decode(
    data: bytes, limits: ImageLimits | None = None, large_photo_lock: AbstractContextManager[object] | None = None
) -> Photo:
    """Decode the first frame of a photo. Safe to call from several threads.

    Supported formats are JPEG, PNG, WebP, BMP, TIFF, GIF, HEIC/HEIF and AVIF. Grey, palette, 16-bit, CMYK and
    transparent photos become 8-bit BGR; transparent areas become white, as viewers show them.

    Args:
        data: the encoded photo.
        limits: default `ImageLimits()`.
        large_photo_lock: held while a photo of more than 12 million pixels is decoded at full size. If
            threads share the lock, one such photo is in memory at a time. Default no lock.

    Returns:
        The photo, HxWx3 uint8 BGR, upright.

    Raises:
        NoContentError: `data` is empty.
        ImageFormatError: the photo has an unsupported format, is damaged or truncated, exceeds a limit, or has far
            more parts than cameras write (`structure.check_structure`).
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
            pixels = limited(bitmap, limits.max_side)
            return Photo(pixels, max(pixels.shape[:2]) / max(bitmap.shape[:2]), "BMP")
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            original = max(image.size)
            _check_pixels(image.width, image.height, limits)
            lock = large_photo_lock if _is_unpacked_whole(image) else None
            with nullcontext() if lock is None else lock:
                pixels = limited(_pixels(image, data, limits), limits.max_side)
            # Read the orientation after decoding: Pillow's TIFF and HEIF plugins rotate the photo and reset the tag.
            pixels = _upright(pixels, _orientation(image))
            return Photo(pixels, max(pixels.shape[:2]) / original, image.format or "", _jpeg_step(image))
    except ImageFormatError:
        raise
    # Pillow's plugins do not document a closed set of exceptions. Damaged photos raised OSError, SyntaxError,
    # ValueError, struct.error, EOFError, IndexError, KeyError, TypeError, RuntimeError, zlib.error and
    # DecompressionBombError in tests. In each case the photo is at fault.
    except Exception as error:
        raise ImageFormatError(f"the photo cannot be decoded ({type(error).__name__})") from None


def check_size(data: bytes, limits: ImageLimits) -> None:
    """Refuse an empty photo or one with too many bytes.

    Raises:
        NoContentError: `data` is empty.
        ImageFormatError: `data` is longer than `limits.max_bytes`.
    """
    if not data:
        raise NoContentError("the photo has no bytes")
    if len(data) > limits.max_bytes:
        raise ImageLimitError(f"the photo is larger than {limits.max_bytes} bytes")


def from_array(pixels: NDArray[np.uint8]) -> Photo:
    """Make a photo of an HxWx3 uint8 BGR array, such as `cv2.imread` returns.

    Raises:
        ImageFormatError: the array has another shape or dtype, or no pixels.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or pixels.size == 0:
        raise ImageFormatError("an array must be HxWx3 uint8 in BGR order")
    return Photo(np.ascontiguousarray(pixels))


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode an HxWx3 uint8 BGR array as JPEG.

    Raises:
        ImageFormatError: OpenCV cannot encode an array of this shape or dtype.
    """
    import cv2

    try:
        _, buffer = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error:
        raise ImageFormatError("the array cannot be encoded as JPEG") from None
    return buffer.tobytes()


@functools.cache
def prepare() -> None:
    """Import and register the decoders; the first `decode` calls this function. It does not start threads."""
    # Registration is global to Pillow and idempotent; registering here keeps `import facematch_local` light.
    import pillow_heif
    from PIL import Image

    from facematch_local.cpu import available_cpus

    # By default libheif starts four threads per photo, regardless of the number of CPUs.
    pillow_heif.options.DECODE_THREADS = min(4, available_cpus())
    pillow_heif.register_heif_opener(thumbnails=False)
    # Otherwise Pillow loads its plugins at the first photo of an uncommon format, which then takes longer.
    Image.init()


def _check_pixels(width: int, height: int, limits: ImageLimits) -> None:
    if width * height > limits.max_pixels:
        raise ImageLimitError(f"the photo has more than {limits.max_pixels} pixels")
    if max(width, height) > _LONGEST_SIDE:
        raise ImageLimitError(f"the photo has a side of more than {_LONGEST_SIDE} pixels")


def _jpeg_step(image: Image.Image) -> float | None:
    """Mean step of the first quantisation table, which codes the luminance; None without one."""
    tables = getattr(image, "quantization", None)
    steps = tables.get(0) if isinstance(tables, dict) else None
    return float(np.mean(steps)) if steps else None


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 if EXIF is missing or damaged. Many cameras and editors write damaged EXIF."""
    exif = image.info.get("exif")
    if isinstance(exif, bytes) and not exif_is_sane(exif):
        return 1
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # Pillow's EXIF parser raises many types, see `decode`
        return 1
    if isinstance(value, bytes) and len(value) == 1:  # some writers use type BYTE instead of SHORT
        value = value[0]
    return value if value in range(1, 9) else 1


def _is_unpacked_whole(image: Image.Image) -> bool:
    """Whether the photo is large and decoding takes memory for all its pixels."""
    # Baseline JPEGs are reduced block by block; for a progressive JPEG the decoder keeps all coefficients.
    whole = not _is_plain_jpeg(image) or "progressive" in image.info
    return whole and image.width * image.height > _LARGE


def _pixels(image: Image.Image, data: bytes, limits: ImageLimits) -> NDArray[np.uint8]:
    if _is_plain_jpeg(image):
        return _decode_jpeg(image, data, limits)
    if image.format == "WEBP" and not getattr(image, "is_animated", False):
        return _decode_webp(image, data)
    return _decode_other(image, limits)


def _is_plain_jpeg(image: Image.Image) -> bool:
    # Pillow decodes CMYK JPEGs: it handles Adobe's inverted ones.
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
    """Whether a JPEG lacks only its end marker.

    If coded data is missing as well, bits appended in its stead change the decoded pixels.
    """
    from PIL import Image

    def pixels(end: bytes) -> NDArray[np.uint8]:
        # Pillow's libjpeg does not print warnings; OpenCV's does.
        with Image.open(io.BytesIO(data + end), formats=("JPEG",)) as image:
            image.draft(None, (max(image.width // reduction, 1), max(image.height // reduction, 1)))
            return np.asarray(image)

    return np.array_equal(pixels(_END), pixels(_ANY_BITS + _END))


def _reduction(longest: int, max_side: int) -> int:
    """Factor by which the decoder may reduce a JPEG: 1, 2, 4 or 8."""
    if longest <= max_side:
        return 1
    return max(factor for factor in (1, 2, 4, 8) if factor == 1 or longest / factor >= _ENOUGH * max_side)


def _jpeg_is_complete(data: bytes) -> bool:
    """Whether an end marker follows the start of the first scan.

    libjpeg fills the missing part of a truncated photo with grey, and some builds of OpenCV do not report it.
    Segments before the scan are skipped by their length, because an EXIF thumbnail has its own end marker.
    """
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xDA:  # start of scan
            # Equal to a search from here, and the marker is nearly always at the end.
            return data.rfind(b"\xff\xd9", position) >= 0
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 0x01:  # fill byte, or marker without length
            position += 1 if marker == 0xFF else 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4])
    # Decoders skip stray bytes between segments, so search the remaining data for an end marker.
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
    # The first frame of a GIF may be larger than its header states.
    _check_pixels(image.width, image.height, limits)
    return to_bgr(image)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo an EXIF orientation, 1 to 8 (EXIF 3.0, section 4.6.5.1.6)."""
    import cv2

    # The photo is turned clockwise, then mirrored. numpy takes ten times as long to copy a turned picture.
    turn, mirrored = {
        1: (None, None),
        2: (None, 1),
        3: (cv2.ROTATE_180, None),
        4: (None, 0),
        5: (cv2.ROTATE_90_CLOCKWISE, 1),
        6: (cv2.ROTATE_90_CLOCKWISE, None),
        7: (cv2.ROTATE_90_CLOCKWISE, 0),
        8: (cv2.ROTATE_90_COUNTERCLOCKWISE, None),
    }[orientation]
    turned = pixels if turn is None else cv2.rotate(pixels, turn)
    turned = turned if mirrored is None else cv2.flip(turned, mirrored)
    return np.ascontiguousarray(turned, np.uint8)
