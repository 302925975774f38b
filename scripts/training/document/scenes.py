"""Views for the document network: a document lying, held or scanned somewhere, or anything but one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from facematch_local.networks.document import DOCUMENT_SIZE
from scripts.training.common.degrade import degrade
from scripts.training.common.documents import document, line, words
from scripts.training.common.grounds import background, part, pick, printed_matter
from scripts.training.common.image import Array, Rng
from scripts.training.common.stock import Stock
from scripts.training.common.synthetic import colour, gradient

SCANNED = 0.2
RAW: Final = 0.55  # share of the views without a document that are pictures as they are
GREY: Final = 25.0  # a document with less colour than this, and no copy, can't be told from one
CAPTIONED: Final = 0.25  # of those, with words over them


@dataclass(frozen=True)
class View:
    """A view and the answer that the network learns.

    Attributes:
        pixels: BGR uint8 [S,S,3], S = `DOCUMENT_SIZE`.
        mask: float32 [S,S], the share of each pixel that is document.
        copied: whether the document is a grey copy; None without a document, or where it is undecidable.
    """

    pixels: Array
    mask: Array
    copied: bool | None = None


def view(rng: Rng, stock: Stock, shows: bool) -> View:
    """One view, with or without a document."""
    if not shows:
        scene = _without(rng, stock)
        return View(degrade(rng, scene.pixels), scene.mask)
    scene = _with_document(rng, stock)
    pixels = degrade(rng, scene.pixels)
    lost = not scene.copied and _colourful(pixels) < GREY
    return View(pixels, scene.mask, None if lost else scene.copied)


def _colourful(pixels: Array) -> float:
    """How far the channels of the most colourful twentieth of the pixels lie apart, grey levels."""
    return float(np.percentile(np.ptp(pixels.astype(np.int16), axis=2), 95))


def captioned(rng: Rng, pixels: Array) -> Array:
    """With words over it, as pictures from the web have: captions, watermarks, a line of an agency's name."""
    over = pixels.copy()
    size = DOCUMENT_SIZE
    for _ in range(int(rng.integers(1, 5))):
        height = rng.uniform(0.03, 0.16) * size
        text = words(rng, int(rng.integers(3, max(int(1.4 * size / height), 4))))
        line(rng, over, tuple(rng.uniform(-0.1, 0.9, 2) * size), height, text, colour(rng))
    strength = 1.0 if rng.random() < 0.5 else rng.uniform(0.15, 0.8)
    return cv2.addWeighted(over, strength, pixels, 1 - strength, 0)


def lay(rng: Rng, ground: Array, flat: Array, scale: float, rounded: float) -> View:
    """Something flat on the ground, `scale` of the view wide: turned, in perspective, with a shadow; its mask."""
    size = DOCUMENT_SIZE
    height, width = flat.shape[:2]
    # The view is a photo squeezed to a square: what is in it is squeezed too.
    squeeze = np.exp(rng.normal(0, 0.25))
    wide = scale * size
    tall = wide * height / width * squeeze
    corners = np.array([(-wide, -tall), (wide, -tall), (wide, tall), (-wide, tall)]) / 2
    quarter = rng.choice(4, p=(0.7, 0.1, 0.1, 0.1)) * np.pi / 2
    angle = quarter + (rng.normal(0, 0.12) if rng.random() < 0.7 else rng.uniform(-np.pi, np.pi))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = (corners * (1 + rng.normal(0, 0.06, (4, 2)))) @ turn.T
    reach = np.abs(corners).max(axis=0)
    free = np.maximum(size / 2 - reach, 0.25 * np.minimum(reach, size / 2))
    corners = (corners + size / 2 + rng.uniform(-free, free)).astype(np.float32)
    shrink = min(1.3 * wide / width, 1.0)
    if shrink < 1:
        flat = cv2.resize(flat, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        height, width = flat.shape[:2]
    shape = np.zeros((height, width), np.float32)
    r = int(rounded * width)
    cv2.rectangle(shape, (r, 0), (width - 1 - r, height - 1), 1.0, -1)
    cv2.rectangle(shape, (0, r), (width - 1, height - 1 - r), 1.0, -1)
    for x, y in ((r, r), (width - 1 - r, r), (r, height - 1 - r), (width - 1 - r, height - 1 - r)):
        cv2.circle(shape, (x, y), r, 1.0, -1)
    source = np.float32([(0, 0), (width, 0), (width, height), (0, height)]) - np.float32(0.5)
    matrix = cv2.getPerspectiveTransform(source, corners)
    warped = cv2.warpPerspective(flat, matrix, (size, size), flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(shape, matrix, (size, size), flags=cv2.INTER_LINEAR)
    alpha = mask[..., None]
    out = ground.astype(np.float32)
    if rng.random() < 0.6:
        shift = rng.integers(-4, 5, 2).tolist()
        shadow = cv2.GaussianBlur(np.roll(mask, shift, (0, 1)), (0, 0), rng.uniform(1, 5))[..., None]
        out *= 1 - rng.uniform(0.1, 0.6) * shadow
    lit = warped.astype(np.float32) * rng.uniform(0.75, 1.15)
    out = out * (1 - alpha) + lit * alpha
    if rng.random() < 0.2:  # glare
        spot = np.zeros((size, size), np.float32)
        at = (corners.mean(axis=0) + rng.uniform(-0.4, 0.4, 2) * wide).astype(int).tolist()
        axes = (max(int(rng.uniform(0.05, 0.4) * wide), 2), max(int(rng.uniform(0.03, 0.15) * wide), 2))
        cv2.ellipse(spot, at, axes, rng.uniform(0, 180), 0, 360, 1.0, -1)
        out += 255 * rng.uniform(0.2, 1) * cv2.GaussianBlur(spot, (0, 0), 0.1 * axes[0] + 2)[..., None] * alpha
    return View(np.clip(out, 0, 255).astype(np.uint8), mask)


def fingers(rng: Rng, scene: View) -> View:
    """A hand that holds the document: fingers over its edge from outside."""
    pixels, mask = scene.pixels.copy(), scene.mask.copy()
    edge = np.argwhere(cv2.morphologyEx((mask > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3))))
    if not len(edge):
        return scene
    middle = edge.mean(axis=0)
    skin = np.array([rng.uniform(60, 170), rng.uniform(90, 190), rng.uniform(120, 235)])
    y, x = edge[rng.integers(len(edge))]
    outward = np.array([y, x]) - middle
    outward /= max(np.linalg.norm(outward), 1)
    thick = rng.uniform(0.05, 0.12) * DOCUMENT_SIZE
    along = np.array([-outward[1], outward[0]])
    for index in range(int(rng.integers(1, 5))):
        base = np.array([y, x]) + along * index * thick * 1.1
        tip, root = base - outward * rng.uniform(0.3, 1.6) * thick, base + outward * DOCUMENT_SIZE
        shade = tuple((skin * rng.uniform(0.85, 1.1)).clip(0, 255).tolist())
        ends = [tuple(int(v) for v in end[::-1]) for end in (tip, root)]
        cv2.line(pixels, ends[0], ends[1], shade, max(int(thick), 2), cv2.LINE_AA)
        cv2.line(mask, ends[0], ends[1], 0.0, max(int(thick), 2))
    return View(pixels, mask)


def _with_document(rng: Rng, stock: Stock) -> View:
    real = rng.random()
    if real < 0.06 and stock.documents:
        flat, is_copy = _recoloured(rng, pick(rng, stock.documents)), False
    elif real < 0.12 and stock.copies:
        flat, is_copy = _recoloured(rng, pick(rng, stock.copies)), True
    else:
        flat, is_copy = document(rng, pick(rng, stock.faces))
    copied = None if not is_copy and _colourful(flat) < GREY else is_copy
    if rng.random() < SCANNED:
        scene = _scanned(rng, flat)
    else:
        # Views about a face are 36 eye distances wide, and a card is 12 to 20; whole photos show them at any size.
        scale = np.exp(rng.uniform(np.log(0.25), np.log(1.5)))
        scene = lay(rng, background(rng, stock), flat, scale, rng.choice([0.0, 0.03, 0.05]))
        if rng.random() < 0.2:
            scene = fingers(rng, scene)
    return View(scene.pixels, scene.mask, copied)


def _scanned(rng: Rng, flat: Array) -> View:
    """Filling the picture, but for a border that a scanner may leave, or cut off."""
    size = DOCUMENT_SIZE
    height, width = flat.shape[:2]
    border = (rng.uniform(-0.08, 0.12, 4) * width).astype(int) if rng.random() < 0.6 else np.zeros(4, int)
    top, bottom, left, right = np.maximum(-border, 0)
    flat = flat[top : height - bottom, left : width - right]
    mask = np.ones(flat.shape[:2], np.float32)
    edges = np.maximum(border, 0).tolist()
    value = (int(rng.choice([0, 255, rng.integers(256)])),) * 3
    flat = cv2.copyMakeBorder(flat, *edges, cv2.BORDER_CONSTANT, value=value)
    mask = cv2.copyMakeBorder(mask, *edges, cv2.BORDER_CONSTANT, value=0)
    for _ in range(int(rng.choice(4, p=(0.85, 0.05, 0.05, 0.05)))):
        flat, mask = np.rot90(flat), np.rot90(mask)
    flat, mask = (
        cv2.resize(np.ascontiguousarray(part), (size, size), interpolation=cv2.INTER_AREA) for part in (flat, mask)
    )
    return View(flat, mask)


def _recoloured(rng: Rng, flat: Array) -> Array:
    """There are few real documents, so their colours and proportions are changed."""
    hsv = cv2.cvtColor(flat, cv2.COLOR_BGR2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(0, 180)) % 180
    hsv[..., 1] *= rng.uniform(0, 1.6)
    out = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2BGR)
    return cv2.resize(out, None, fx=rng.uniform(0.85, 1.15), fy=1.0, interpolation=cv2.INTER_LINEAR)


def _without(rng: Rng, stock: Stock) -> View:
    size = DOCUMENT_SIZE
    nothing = np.zeros((size, size), np.float32)
    kind = rng.random()
    if kind < RAW:
        pictures = stock.people if rng.random() < 0.55 else stock.things
        pixels = part(rng, pick(rng, pictures), 0.3)
        return View(captioned(rng, pixels) if rng.random() < CAPTIONED else pixels, nothing)
    if kind < RAW + 0.1:
        return View(printed_matter(rng), nothing)
    pixels = background(rng, stock)
    if kind < RAW + 0.35:  # flat things that are no documents: prints of photos, screens, boxes, books
        for _ in range(int(rng.integers(1, 4))):
            pixels = lay(rng, pixels, _flat_thing(rng, stock), np.exp(rng.uniform(-2.0, 0.2)), 0.0).pixels
    return View(pixels, nothing)


def _flat_thing(rng: Rng, stock: Stock) -> Array:
    width, height = (int(v) for v in rng.integers(120, 400, 2))
    kind = rng.random()
    if kind < 0.45:
        source = stock.faces if rng.random() < 0.4 else stock.things
        flat = cv2.resize(pick(rng, source), (width, height), interpolation=cv2.INTER_AREA)
    elif kind < 0.75:
        flat = gradient(rng, width, height)
        if rng.random() < 0.5:
            cv2.putText(
                flat, "TEXT"[: int(rng.integers(1, 5))], (10, height // 2), 0, width / 90, colour(rng), 3, cv2.LINE_AA
            )
    else:
        flat = cv2.resize(printed_matter(rng), (width, height), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        edge = int(rng.uniform(0.02, 0.1) * width)
        flat = cv2.copyMakeBorder(flat, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=colour(rng))
    return flat
