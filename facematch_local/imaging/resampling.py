"""Pictures made smaller or cut out, without aliasing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def warp(pixels: NDArray[np.uint8], matrix: NDArray[np.float64], size: int, *, border: int) -> NDArray[np.uint8]:
    """Cut the size x size crop that `matrix` takes the photo to, without aliasing.

    Args:
        pixels: HxWx3 uint8.
        matrix: 2x3, from the photo's pixels to the crop's.
        size: side of the crop in pixels.
        border: what lies outside the photo, an OpenCV border mode; black where it is constant.
    """
    import cv2

    pixels, matrix = reduced(pixels, matrix, (size, size))
    crop = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
    return crop.astype(np.uint8, copy=False)


def averaged(pixels: NDArray[np.uint8], factor: int) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Every factor x factor pixels made one, their mean to within a grey level, several times faster than other scales.

    Args:
        pixels: HxWx3 or HxW uint8; what is left over at the right and at the bottom is dropped.
        factor: 1 or more.

    Returns:
        The smaller picture, and how many pixels one of its own spans across and down: `factor`, less where the picture
        has not that many.
    """
    import cv2

    across, down = max(pixels.shape[1] // factor, 1), max(pixels.shape[0] // factor, 1)
    whole = pixels[: down * factor, : across * factor]
    # What is smaller than the factor is made one pixel across or down.
    small, rest = whole, factor if whole.shape[:2] == (down * factor, across * factor) else 1
    # OpenCV is several times faster at halves than at other whole factors, and somewhat at a blur by three. It rounds
    # halves up; every other time that is made to be down, lest pictures get brighter.
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
    """Every 2x2 pixels made one, `size` (width, height) in all; halves of a grey level are rounded up or down."""
    import cv2

    half = cv2.resize(pixels if up else cv2.bitwise_not(pixels), size, interpolation=cv2.INTER_AREA)
    return np.asarray(half if up else cv2.bitwise_not(half), np.uint8)


def reduced(
    pixels: NDArray[np.uint8], matrix: NDArray[np.float64], size: tuple[int, int], coarseness: float = 1.0
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The part of a photo that a warp looks at, averaged where the warp would skip pixels.

    Linear interpolation looks at 2x2 pixels, so a crop of less than half the size would miss some. Whole numbers of
    pixels are averaged: to the warp it makes little difference, and OpenCV does it several times faster.

    Args:
        pixels: HxWx3 uint8.
        matrix: 2x3, from the photo's pixels to the crop's.
        size: width and height of the crop in pixels.
        coarseness: pixels of the crop that an averaged pixel is about as large as; less keeps more detail.

    Returns:
        The part, uint8, and the 2x3 matrix that takes its pixels to the crop's.
    """
    import cv2

    scale = max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-6)
    if scale >= 0.5:
        return pixels, matrix
    factor = max(round(coarseness / scale), 1)
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
