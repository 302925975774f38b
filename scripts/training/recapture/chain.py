"""Simulated captures of a face: live, or a second camera's picture of a print or of a screen.

Everything happens at the scale of the photo. For each pixel of the second camera (at twice its resolution) the point
on the paper or display that it sees is computed, and there the ink dots or sub-pixels are evaluated; the sensor then
blurs, averages and samples them. Moire is therefore not painted but arises as it does in life. Live captures go through
the same camera, sizes, compression and edits, so that softness, noise or JPEG alone do not separate the classes.

Families named in `UNSEEN` are kept for testing and never trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from scripts.training.common.image import Array, Rng, jpeg
from scripts.training.recapture.surfaces import gamut, halftone, subpixels

PRINT_FAMILIES = ("am_colour", "am_grey", "fm", "photo_paper", "line_screen")
SCREEN_FAMILIES = ("stripe", "stripe_turned", "far", "delta", "fine", "pentile")
UNSEEN = frozenset({"line_screen", "pentile"})
CAMERA = 2  # samples per pixel of the camera, each way


@dataclass(frozen=True)
class Shot:
    """What a camera gave.

    Attributes:
        image: HxWx3 uint8 BGR.
        box: (4,) float32, the face in it.
        kind: live, print or screen.
        family: which simulation.
    """

    image: Array
    box: Array
    kind: str
    family: str


def content_around(image: Array, box: Array, rng: Rng) -> tuple[Array, Array]:
    """A part of the photo with the face in it and random surroundings, and the box there."""
    height, width = image.shape[:2]
    side = max(box[2] - box[0], box[3] - box[1])
    reach = side * rng.uniform(0.12, 1.4, 4)
    left, top = max(int(box[0] - reach[0]), 0), max(int(box[1] - reach[1]), 0)
    right, bottom = min(int(box[2] + reach[2]) + 1, width), min(int(box[3] + reach[3]) + 1, height)
    if rng.random() < 0.3:
        left, top, right, bottom = 0, 0, width, height
    return image[top:bottom, left:right], box - np.float32([left, top, left, top])


def live(image: Array, box: Array, rng: Rng) -> Shot:
    """The face itself: resampled, edited, compressed, as photos come."""
    content, box = content_around(image, box, rng)
    content, box = _to_size(content, box, _face_size(rng), rng)
    x = content.astype(np.float32)
    if rng.random() < 0.3:  # detail that enlarged photos lack: skin and hair at the pixel's scale, no period in it
        grain = rng.standard_normal(x.shape[:2], dtype=np.float32)
        grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 1.5)) * rng.uniform(5, 25)
        x += (grain * _edges(x))[..., None]
    if rng.random() < 0.15:
        x = cv2.bilateralFilter(x, 7, rng.uniform(15, 60), rng.uniform(2, 5))  # beautified
    if rng.random() < 0.2:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.8, 3.0))
    if rng.random() < 0.1:
        kernel = np.zeros((9, 9), np.float32)
        cv2.line(kernel, (4 - int(rng.integers(0, 5)), int(rng.integers(0, 9))), (4, 4), 1.0, 1)
        kernel[4, 4] = 1
        x = cv2.filter2D(x, -1, kernel / kernel.sum())
    x = _light(x, rng)
    x = _camera(x, rng)
    if rng.random() < 0.08:  # letter-boxed by some app; exact bars, which no camera gives
        pad = [int(v) for v in rng.uniform(0, 0.2, 2) * x.shape[0]]
        value = (float(rng.choice([0, 255, 128])),) * 3
        x = cv2.copyMakeBorder(x, pad[0], pad[1], 0, 0, cv2.BORDER_CONSTANT, value=value)
        box = box + np.float32([0, pad[0], 0, pad[0]])
    return _finished(x, box, "live", "live", rng)


def printed(image: Array, box: Array, family: str, background: Array, rng: Rng) -> Shot:
    """A picture of a print."""
    content, box = content_around(image, box, rng)
    ink = gamut(content.astype(np.float32), family, rng)
    border = rng.random() < 0.4
    if border:  # the white edge of the paper belongs to the print
        pads = [int(v * min(ink.shape[:2])) for v in rng.uniform(0.0, 0.18, 4)]
        ink = cv2.copyMakeBorder(ink, *pads, cv2.BORDER_CONSTANT, value=(255, 255, 255))
        box = box + np.float32([pads[2], pads[0], pads[2], pads[0]])
    view = _View(ink.shape[:2], box, _face_size(rng), rng.random() < 0.45, rng)
    u, v = view.u, view.v
    if rng.random() < 0.4:  # curl
        amplitude = rng.uniform(0, 0.02) * ink.shape[0]
        v = v + amplitude * np.sin(u / ink.shape[1] * np.pi * rng.uniform(0.7, 2) + rng.uniform(0, 6))
    seen = cv2.remap(ink, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # Dot positions in pixels of the camera, along the paper.
    x, y = u * view.zoom, v * view.zoom
    seen = halftone(seen, x, y, family, rng)
    if rng.random() < 0.7:  # the tooth of the paper
        size = tuple(int(s / rng.uniform(1.2, 4)) + 2 for s in seen.shape[:2])
        tooth = cv2.resize(rng.standard_normal(size, dtype=np.float32), seen.shape[1::-1])
        seen = seen * (1 + rng.uniform(0.005, 0.05) * tooth[..., None])
    seen = seen * np.float32(rng.uniform(0.82, 1.0)) + np.float32(rng.uniform(0, 25))
    if rng.random() < (0.5 if family == "photo_paper" else 0.25):
        seen = _glare(seen, rng, soft=True)
    seen = view.over(background, seen, rng, rim=0)
    shot = _light(view.sensor(seen, rng), rng)
    return _finished(_camera(shot, rng), view.box, "print", family, rng)


def screen(image: Array, box: Array, family: str, background: Array, rng: Rng) -> Shot:
    """A picture of a display."""
    content, box = content_around(image, box, rng)
    if rng.random() < 0.3:  # the app around the photo
        pads = [int(v * content.shape[0]) for v in rng.uniform(0.02, 0.25, 2)]
        bar = float(rng.choice([0, 20, 40, 240, 255]))
        content = cv2.copyMakeBorder(content, pads[0], pads[1], 0, 0, cv2.BORDER_CONSTANT, value=(bar,) * 3)
        box = box + np.float32([0, pads[0], 0, pads[0]])
        for _ in range(rng.integers(0, 4)):
            at = (int(rng.uniform(0, 0.7) * content.shape[1]), int(rng.uniform(0.3, 0.9) * pads[0]))
            cv2.putText(content, "Aq 12:30", at, 0, pads[0] / 90, (255 - bar,) * 3, 1, cv2.LINE_AA)
    content = content.astype(np.float32)
    view = _View(content.shape[:2], box, _face_size(rng), rng.random() < 0.5, rng)
    pitch = np.exp(rng.uniform(np.log(0.45), np.log(1.0)) if family == "far" else rng.uniform(np.log(0.8), np.log(4.5)))
    pixels = view.zoom / pitch  # pixels of the display per pixel of the content
    size = (max(int(content.shape[1] * pixels), 8), max(int(content.shape[0] * pixels), 8))
    shown = cv2.resize(content, size, interpolation=cv2.INTER_AREA if pixels < 1 else cv2.INTER_CUBIC)
    x, y = view.u * np.float32(size[0] / content.shape[1]), view.v * np.float32(size[1] / content.shape[0])
    seen = cv2.remap(np.clip(shown, 0, 255), x - 0.5, y - 0.5, cv2.INTER_NEAREST if pitch > 1.5 else cv2.INTER_LINEAR)
    seen = 255 * (seen / 255) ** np.float32(rng.uniform(1.8, 2.4))  # light is what adds up
    if family != "fine":  # a display whose pixels the camera cannot see: tone, glare, mirrored room and rim are left
        seen = seen * subpixels(x, y, family, rng)
    seen = np.clip(seen, 0, 400) + rng.uniform(0, 6) + rng.uniform(0, 8, 3).astype(np.float32)
    if rng.random() < 0.4:
        seen = _mirrored(seen, background, rng)
    if rng.random() < (0.6 if family == "fine" else 0.4):
        seen = _glare(seen, rng, soft=rng.random() < 0.5)
    seen = view.over(255 * (background / 255.0) ** 2.2 * rng.uniform(0.1, 0.9), seen, rng, rim=rng.uniform(0.01, 0.12))
    shot = np.clip(view.sensor(seen, rng) * np.float32(np.exp(rng.normal(0.1, 0.25))), 0, 255)
    shot = 255 * (shot / 255) ** np.float32(1 / rng.uniform(1.9, 2.5))
    if rng.random() < 0.3:  # the display's refresh against the camera's rolling shutter
        rows = np.arange(shot.shape[0], dtype=np.float32)[:, None, None]
        shot = shot * (1 + rng.uniform(0.03, 0.25) * np.sin(rows * rng.uniform(0.01, 0.15) + rng.uniform(0, 6)))
    cast = np.float32([1, 1, 1]) + rng.uniform(0, 0.25) * np.float32(rng.normal([0.6, 0, -0.3], 0.5))
    shot = np.clip(shot * cast, 0, 255)
    return _finished(_camera(shot, rng), view.box, "screen", family, rng)


# ---- geometry ----------------------------------------------------------------------------------------------------


def _face_size(rng: Rng) -> float:
    """Longer side of the face box in the finished photo, pixels."""
    return float(np.exp(rng.uniform(np.log(60), np.log(280))))


def _to_size(image: Array, box: Array, face: float, rng: Rng) -> tuple[Array, Array]:
    scale = face / max(box[2] - box[0], box[3] - box[1])
    how = cv2.INTER_AREA if scale < 1 else (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)[rng.integers(3)]
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=how), box * np.float32(scale)


class _View:
    """How the second camera sees the plane: for each of its samples the point of the content.

    Attributes:
        u, v: float32 [H,W], the content's pixel that each sample sees.
        zoom: camera pixels per content pixel in the middle.
        box: the face in the camera's photo.
    """

    def __init__(self, shape: tuple[int, ...], box: Array, face: float, edges: bool, rng: Rng) -> None:
        height, width = shape
        self.zoom = face / float(max(box[2] - box[0], box[3] - box[1]))
        w, h = width * self.zoom, height * self.zoom
        angle = np.deg2rad(rng.normal(0, 4))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        corners = (np.array([(-w, -h), (w, -h), (w, h), (-w, h)]) / 2) @ turn.T
        corners += rng.normal(0, 0.02, (4, 2)) * max(w, h)
        if edges:  # the border of the plane is in the photo, on some sides
            low, high = corners.min(0), corners.max(0)
            span = high - low
            grow = rng.uniform(-0.05, 0.3, 4) * np.array([*span, *span])
            start, end = low - grow[:2], high + grow[2:]
        else:
            start = np.array([corners[[0, 3], 0].max(), corners[[0, 1], 1].max()])
            end = np.array([corners[[1, 2], 0].min(), corners[[2, 3], 1].min()])
        end = np.maximum(end, start + 40)
        size = np.minimum(np.round(end - start), 1000).astype(int)
        source = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
        forward = cv2.getPerspectiveTransform(source, (corners - start).astype(np.float32))
        self.shape = (int(size[1]), int(size[0]))
        back = np.linalg.inv(forward)
        y, x = np.mgrid[: self.shape[0] * CAMERA, : self.shape[1] * CAMERA].astype(np.float32)
        x, y = (x + 0.5) / CAMERA, (y + 0.5) / CAMERA
        depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
        self.u = ((back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth).astype(np.float32)
        self.v = ((back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth).astype(np.float32)
        self._content = (width, height)
        points = np.float32([[box[:2], (box[2], box[1]), box[2:], (box[0], box[3])]])
        there = cv2.perspectiveTransform(points, forward)[0]
        self.box = np.float32([*there.min(0), *there.max(0)])

    def over(self, background: Array, seen: Array, rng: Rng, rim: float) -> Array:
        """The plane before a background; `rim` is the width of a bezel in widths of the content."""
        width, height = self._content
        outside = np.maximum(np.maximum(-self.u, self.u - width), np.maximum(-self.v, self.v - height))
        if outside.max() <= 0:
            return seen
        behind = cv2.resize(background.astype(np.float32), seen.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        edge = rim * width
        shade = np.exp(-np.clip(outside - edge, 0, None) / (0.03 * width)) * rng.uniform(0, 0.6)
        behind = behind * (1 - shade[..., None])
        tone = rng.uniform(2, 40) if rng.random() < 0.8 else rng.uniform(120, 250)
        out = np.where((outside < edge)[..., None], np.float32(tone), behind)
        return np.where((outside <= 0)[..., None], seen, out)

    def sensor(self, seen: Array, rng: Rng) -> Array:
        """Lens blur, then the average over each pixel; at times through a Bayer mosaic."""
        seen = cv2.GaussianBlur(seen, (0, 0), CAMERA * rng.uniform(0.2, 0.75))
        out = cv2.resize(seen, self.shape[::-1], interpolation=cv2.INTER_AREA)
        if rng.random() < 0.4:
            mosaic = np.clip(out, 0, 255).astype(np.uint8)
            raw = mosaic[..., 1].copy()
            raw[::2, ::2], raw[1::2, 1::2] = mosaic[::2, ::2, 2], mosaic[1::2, 1::2, 0]
            out = cv2.cvtColor(raw, cv2.COLOR_BayerBG2BGR).astype(np.float32)
        return out.astype(np.float32)


# ---- ink and light ---------------------------------------------------------------------------------------------------


def _glare(image: Array, rng: Rng, soft: bool) -> Array:
    height, width = image.shape[:2]
    small = np.zeros((64, 64), np.float32)
    for _ in range(rng.integers(1, 3)):
        at = rng.uniform(0, 64, 2)
        if soft:
            size = tuple(int(v) for v in rng.uniform(4, 24, 2))
            cv2.ellipse(small, (int(at[0]), int(at[1])), size, rng.uniform(0, 180), 0, 360, 1.0, -1)
        else:  # a window or lamp mirrored
            span = rng.uniform(4, 24, 2)
            quad = at + span * np.array([(0, 0), (1, rng.uniform(-0.2, 0.2)), (1, 1), (0, 1)])
            cv2.fillPoly(small, [quad.astype(np.int32)], 1.0)
    small = cv2.GaussianBlur(small, (0, 0), rng.uniform(4, 10) if soft else rng.uniform(0.5, 2))
    alpha = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR) * rng.uniform(0.15, 0.85)
    return image * (1 - alpha[..., None]) + 250 * alpha[..., None]


def _mirrored(image: Array, background: Array, rng: Rng) -> Array:
    """The room before a glossy surface, faint and out of focus; linear light, as `image`."""
    room = cv2.resize(background[:, ::-1].astype(np.float32), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    room = cv2.GaussianBlur(room, (0, 0), rng.uniform(0.003, 0.03) * image.shape[1])
    return image + np.float32(rng.uniform(0.03, 0.3)) * 255 * (room / 255) ** np.float32(2.2)


# ---- what any camera and any app does ----------------------------------------------------------------------------


def _edges(image: Array) -> Array:
    grey = image.mean(2)
    gradient = cv2.GaussianBlur(np.abs(cv2.Laplacian(grey, cv2.CV_32F)), (0, 0), 3)
    return np.clip(gradient / 8, 0.15, 1)


def _light(image: Array, rng: Rng) -> Array:
    """Exposure, white balance, uneven light."""
    height, width = image.shape[:2]
    if rng.random() < 0.4:
        slope = rng.uniform(-0.35, 0.35, 2)
        ramp = 1 + slope[0] * np.linspace(-1, 1, width)[None] + slope[1] * np.linspace(-1, 1, height)[:, None]
        image = image * ramp[..., None].astype(np.float32)
    gain = np.exp(rng.normal(0, 0.18) + rng.normal(0, 0.06, 3)).astype(np.float32)
    image = np.clip(image * gain, 0, 255)
    if rng.random() < 0.3:
        image = 255 * (image / 255) ** np.float32(np.exp(rng.normal(0, 0.25)))
    return image


def _camera(image: Array, rng: Rng) -> Array:
    """Noise, noise reduction and sharpening."""
    if rng.random() < 0.7:
        sigma = np.exp(rng.uniform(np.log(0.7), np.log(9)))
        grain = rng.standard_normal(image.shape, dtype=np.float32)
        if rng.random() < 0.4:
            grain = cv2.GaussianBlur(grain, (0, 0), 0.7) * 1.8
        image = image + np.float32(sigma) * grain
    if rng.random() < 0.25:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 0.9))
    if rng.random() < 0.4:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 2.0))
        image = image + np.float32(rng.uniform(0.2, 1.2)) * (image - soft)
    return np.clip(image, 0, 255)


def _finished(image: Array, box: Array, kind: str, family: str, rng: Rng) -> Shot:
    """Sent on: made smaller or larger at times, JPEG once or twice."""
    pixels = np.clip(image, 0, 255).astype(np.uint8)
    for _ in range(rng.choice(3, p=[0.2, 0.6, 0.2])):
        if rng.random() < 0.35:
            scale = float(np.exp(rng.uniform(np.log(0.5), np.log(1.5))))
            how = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(3)]
            pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how)
            box = box * np.float32(scale)
        quality = int(rng.integers(45, 98))
        pixels = jpeg(pixels, quality)
    return Shot(pixels, box.astype(np.float32), kind, family)
