"""Bytes to an upright BGR array. Every limit on what may come in lives here."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from facematch_local.errors import ImageFormatError, NoContentError

if TYPE_CHECKING:
    from PIL import Image

# Named one by one: Pillow also opens formats that start other programs (EPS) or that no camera writes.
# MPO (several JPEGs in one file, as phones write) is opened by the JPEG plugin; it must not be named here.
FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "HEIF", "AVIF")


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a photo may cost.

    Attributes:
        max_bytes: encoded size in bytes.
        max_pixels: width times height as the header states it, checked before anything is decoded.
        max_side: photos with a longer side are decoded smaller, in pixels. Detection works at 640;
            this keeps a portrait printed on a card at full detail and a 48 MP photo affordable.
    """

    max_bytes: int = 10 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_side: int = 3000


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A decoded photo.

    Attributes:
        pixels: HxWx3 uint8, BGR, upright (EXIF orientation applied).
        scale: side of `pixels` over side of the original; below 1 where it was decoded smaller.
        format: container format as Pillow names it (`"JPEG"`), or `"ARRAY"`.
    """

    pixels: NDArray[np.uint8]
    scale: float = 1.0
    format: str = "ARRAY"

    @property
    def height(self) -> int:
        """Rows of `pixels`."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns of `pixels`."""
        return int(self.pixels.shape[1])


def decode(data: bytes, limits: ImageLimits | None = None) -> Photo:
    """Decode the first frame of a photo.

    JPEG, PNG, WebP, BMP, TIFF, GIF, HEIC/HEIF and AVIF; grey, palette, 16-bit, CMYK and transparent
    photos become 8-bit BGR (transparent areas white, as a viewer shows them).

    Raises:
        NoContentError: `data` is empty.
        ImageFormatError: not one of the formats, damaged, truncated or over a limit.
    """
    limits = limits or ImageLimits()
    if not data:
        raise NoContentError("the photo has no bytes")
    if len(data) > limits.max_bytes:
        raise ImageFormatError(f"the photo is larger than {limits.max_bytes} bytes")
    _register_heif()
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > limits.max_pixels:
                raise ImageFormatError(f"the photo has more than {limits.max_pixels} pixels")
            pixels = _decode_frame(image, limits.max_side)
            return Photo(pixels, max(pixels.shape[:2]) / max(width, height), image.format or "")
    except ImageFormatError:
        raise
    # Pillow's plugins document no closed set of exceptions: damaged bytes were seen to raise OSError,
    # SyntaxError, ValueError, struct.error, EOFError, IndexError, KeyError, TypeError, RuntimeError,
    # zlib.error and DecompressionBombError. Whatever it is, the photo is what is wrong.
    except Exception as error:
        raise ImageFormatError(f"the photo cannot be decoded ({type(error).__name__})") from None


def from_array(pixels: NDArray[np.uint8]) -> Photo:
    """Take an HxWx3 uint8 BGR array (what `cv2.imread` gives) as a photo.

    Raises:
        ImageFormatError: another shape or dtype, or no pixels.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or pixels.size == 0:
        raise ImageFormatError("an array must be HxWx3 uint8 in BGR order")
    return Photo(np.ascontiguousarray(pixels))


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode an HxWx3 uint8 BGR array as JPEG."""
    import cv2

    ok, buffer = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise ImageFormatError("the array cannot be encoded as JPEG")
    return buffer.tobytes()


@functools.cache
def _register_heif() -> None:
    # Registration is global to Pillow and idempotent; doing it here keeps `import facematch_local` light.
    import pillow_heif

    pillow_heif.register_heif_opener()


def _decode_frame(image: Image.Image, max_side: int) -> NDArray[np.uint8]:
    from PIL import ImageOps

    longest = max(image.size)
    if longest > max_side:
        # For JPEG the decoder itself drops resolution (by 2, 4 or 8), which saves most of the time.
        image.draft(None, (image.width * max_side // longest, image.height * max_side // longest))
    image.load()
    upright: Image.Image = ImageOps.exif_transpose(image)
    if max(upright.size) > max_side:
        upright = _eight_bit(upright)
        upright.thumbnail((max_side, max_side), reducing_gap=2.0)
    rgb = np.asarray(_to_rgb(_eight_bit(upright)))
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _eight_bit(image: Image.Image) -> Image.Image:
    """16-bit and float grey to 8 bits by their own range; Pillow's `convert` would clip them to white."""
    from PIL import Image

    if not image.mode.startswith(("I", "F")):
        return image
    values: NDArray[Any] = np.nan_to_num(np.asarray(image).astype(np.float64))
    top = float(values.max())
    if image.mode.startswith("I"):
        # Mode "I" holds anything up to 32 bits: 16-bit samples unless the values fit in 8.
        full = 65535.0 if image.mode.startswith("I;16") or top > 255 else 255.0
    else:
        full = 1.0 if top <= 1.0 else max(top, 255.0)
    return Image.fromarray(np.clip(values * (255.0 / full), 0, 255).astype(np.uint8))


def _to_rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")
