"""Scaling down and cropping without aliasing."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def warp(
    pixels: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, *, border: int, halved: bool = False
) -> NDArray[np.uint8]:
    """Warp a photo to a size x size crop without aliasing.

    Args:
        pixels: HxWx3 uint8.
        matrix: 2x3, maps pixel coordinates of the photo to those of the crop.
        size: side of the crop in pixels.
        border: OpenCV border mode for pixels outside the photo; `cv2.BORDER_CONSTANT` fills with black.
        halved: see `reduced`.

    Returns:
        size x size x 3 uint8, channels in the order of `pixels`.
    """
    import cv2

    pixels, matrix = reduced(pixels, matrix, (size, size), halved=halved)
    crop = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
    return crop.astype(np.uint8, copy=False)


def limited(pixels: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """The picture (HxWx3 or HxW uint8) with no side longer than `longest` pixels; the picture itself if it is small."""
    factor = longest / max(pixels.shape[:2])
    return pixels if factor >= 1 else scaled(pixels, factor)


def scaled(pixels: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """The picture (HxWx3 or HxW uint8) made smaller by `factor` (below 1), area-averaged; no side below one pixel."""
    import cv2

    height, width = pixels.shape[:2]
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def averaged(pixels: NDArray[np.uint8], factor: int) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Average each block of factor x factor pixels, accurate to one grey level; several times faster than other scales.

    Args:
        pixels: HxWx3 or HxW uint8. Incomplete blocks at the right and at the bottom are dropped.
        factor: side of a block in pixels, 1 or more.

    Returns:
        The smaller image, uint8, and the number of original pixels per pixel across and down: `factor`, or less if the
        image is smaller than one block.
    """
    import cv2

    across, down = max(pixels.shape[1] // factor, 1), max(pixels.shape[0] // factor, 1)
    whole = pixels[: down * factor, : across * factor]
    # An image smaller than one block becomes one pixel across or down.
    small, rest = whole, factor if whole.shape[:2] == (down * factor, across * factor) else 1
    # OpenCV is several times faster at halving than at other whole factors, and somewhat faster at a blur by three.
    # Alternate rounding up and down: rounding up every time would brighten the image.
    rounded_up = False
    while rest % 2 == 0:
        half = (small.shape[1] // 2, small.shape[0] // 2)
        small, rest, rounded_up = _halved(small, half, up=not rounded_up), rest // 2, not rounded_up
    while rest % 3 == 0:
        third = (small.shape[1] // 3, small.shape[0] // 3)
        means = cv2.blur(small, (3, 3), anchor=(0, 0))
        small, rest = cv2.resize(means, third, interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False), rest // 3
    if small.shape[:2] != (down, across):
        small = cv2.resize(small, (across, down), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return small, (whole.shape[1] / across, whole.shape[0] / down)


def _halved(pixels: NDArray[np.uint8], size: tuple[int, int], up: bool) -> NDArray[np.uint8]:
    """Average blocks of 2x2 pixels to `size` (width, height); round halves of a grey level up or down."""
    import cv2

    half = cv2.resize(pixels if up else cv2.bitwise_not(pixels), size, interpolation=cv2.INTER_AREA)
    return np.asarray(half if up else cv2.bitwise_not(half), np.uint8)


def reduced(
    pixels: NDArray[np.uint8],
    matrix: NDArray[np.float64],
    size: tuple[int, int],
    coarseness: float = 1.0,
    *,
    halved: bool = False,
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Crop a photo to the part that a warp reads, and average it if the warp would skip pixels.

    Linear interpolation reads 2x2 pixels, so a warp to less than half the size would skip some. The average is over
    whole numbers of pixels: the result of the warp differs little, and OpenCV is several times faster.

    Args:
        pixels: HxWx3 uint8.
        matrix: 2x3, maps pixel coordinates of the photo to those of the crop.
        size: width and height of the crop in pixels.
        coarseness: approximate size of an averaged pixel in pixels of the crop; a lower value keeps more detail.
        halved: average powers of two of pixels only, which takes half the time; an averaged pixel then has 0.7 to 1.4
            times the size.

    Returns:
        The part, uint8, and the 2x3 matrix that maps its pixel coordinates to those of the crop. `pixels` and `matrix`
        unchanged if the warp shrinks by a factor of two or less.
    """
    import cv2

    scale = max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-6)
    if scale >= 0.5:
        return pixels, matrix
    factor = 1 << max(round(math.log2(coarseness / scale)), 0) if halved else max(round(coarseness / scale), 1)
    back = cv2.invertAffineTransform(matrix)
    width, height = size
    corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)]) @ back.T
    rows, columns = pixels.shape[:2]
    left, top = (int(v) for v in np.clip(np.floor(corners.min(axis=0)) - factor, 0, (columns - 1, rows - 1)))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)) + 1 + factor, (left + 1, top + 1), (columns, rows)).astype(int)
    part = pixels[top:bottom, left:right]
    small, (fx, fy) = averaged(part, factor)
    # Pixel centres: x_photo = left + (x_small + 0.5) * fx - 0.5, and the same for y.
    to_photo = np.array([[fx, 0, left + 0.5 * fx - 0.5], [0, fy, top + 0.5 * fy - 0.5], [0, 0, 1]])
    return small, matrix @ to_photo
