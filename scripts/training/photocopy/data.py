"""Compose the views that the photocopy network learns from: `views.npy` uint8 [N,S,S,3], `copies.npy` uint8 [N].

Drawn documents around portraits of the training half, as they are and as grey copies, each a few times: on other
grounds, in other light. No real copy is used, so the real ones of the training half can measure the result.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np

from facematch_local.networks.photocopy import PHOTOCOPY_SIZE, PHOTOCOPY_TEMPLATE
from scripts.training.common.arguments import add_others, add_views, parser_of
from scripts.training.common.documents import Area, identity_card, passport_page, sheet_with_copy
from scripts.training.common.grounds import background
from scripts.training.common.image import Array, Rng
from scripts.training.common.stock import Stock, load_stock
from scripts.training.common.synthetic import halftone
from scripts.training.common.views import finished, joined, opened, started
from scripts.training.photocopy.lighting import photographed

SEED = 6
EACH = 4  # views of a document, or fewer where its colours are too pale
COPIES = 0.5  # share of grey copies
GREY_PORTRAITS = 0.5  # of the portraits, besides those that `documents` prints without colour
# Of a portrait as `documents` prints it: where the eyes are, and how far from each other (medians of 76 of them).
EYES_DOWN, EYES_APART = 0.42, 0.31
COLOURED = 0.1  # ln; a document whose colours differ less than this from each other looks like a copy


def drawn(rng: Rng, stock: Stock) -> tuple[Array, Area]:
    """A document with a portrait, flat, BGR uint8, and where the portrait is."""
    face = stock.faces[rng.integers(len(stock.faces))]
    if rng.random() < GREY_PORTRAITS:
        tint = 1 + rng.normal(0, 0.02, 3) if rng.random() < 0.5 else np.ones(3)
        grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)[..., None] * tint
        face = np.clip(grey, 0, 255).astype(np.uint8)
    while True:
        kind = (identity_card, passport_page, sheet_with_copy)[rng.choice(3, p=(0.55, 0.35, 0.1))]
        pixels, area = kind(rng, face)
        if area is not None:
            break
    if rng.random() < 0.3:  # pale print, worn or little saturated
        grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)[..., None].astype(np.float32)
        pixels = np.clip(grey + (pixels - grey) * rng.uniform(0.25, 0.9), 0, 255).astype(np.uint8)
    return (halftone(rng, pixels) if rng.random() < 0.1 else pixels), area


def toner_copy(rng: Rng, pixels: Array) -> Array:
    """As a copier or a black and white printer gives it: toner and paper are not quite grey, but of one colour each."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).astype(np.float32)
    if rng.random() < 0.3:
        grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.4, 1.2))
    if rng.random() < 0.8:
        grey = 255 / (1 + np.exp(-(grey - rng.uniform(80, 160)) / rng.uniform(16, 70)))
    grey += rng.normal(0, rng.uniform(0, 16), grey.shape)
    dark, pale = (
        base + rng.normal(0, spread, 3) for base, spread in ((rng.uniform(5, 70), 3), (rng.uniform(215, 255), 5))
    )
    share = np.clip(grey / 255, 0, 1)[..., None]
    out = dark + (pale - dark) * share
    return np.clip(out, 0, 255).astype(np.uint8)


def seen(rng: Rng, flat: Array, area: Area, stock: Stock) -> tuple[Array, Array]:
    """The portrait and its surroundings, cut as by `photocopy_crop`, before any light; and the mask of the document."""
    left, top, right, bottom = area
    eyes = np.array([(left + right) / 2, top + EYES_DOWN * (bottom - top)])
    apart = EYES_APART * (right - left) * np.exp(rng.normal(0, 0.12))
    eyes = eyes + rng.normal(0, 0.25, 2) * apart
    template = np.asarray(PHOTOCOPY_TEMPLATE)
    scale = (template[1, 0] - template[0, 0]) / apart
    angle = rng.normal(0, 0.1)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    height, width = flat.shape[:2]
    outline = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    corners = (outline - eyes) @ turn.T + template[:2].mean(axis=0)
    corners += rng.normal(0, 0.03, (4, 2)) * np.ptp(corners, axis=0) * (rng.random() < 0.7)
    matrix = cv2.getPerspectiveTransform(outline.astype(np.float32), corners.astype(np.float32))
    if scale < 0.8:
        flat = cv2.GaussianBlur(flat, (0, 0), 0.45 / scale)
    size = (PHOTOCOPY_SIZE, PHOTOCOPY_SIZE)
    card = cv2.warpPerspective(flat, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size, flags=cv2.INTER_LINEAR)
    ground = cv2.resize(background(rng, stock), size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.15:
        mask[:] = 255  # the photo ends where the document does: its border is repeated
    alpha = mask[..., None].astype(np.float32) / 255
    out = ground * (1 - alpha) + card * alpha
    if rng.random() < 0.5:
        shadow = cv2.GaussianBlur(np.roll(mask, rng.integers(-3, 4, 2).tolist(), (0, 1)), (0, 0), rng.uniform(1, 4))
        out = out * (1 - (1 - alpha) * rng.uniform(0.1, 0.6) * shadow[..., None].astype(np.float32) / 255)
    return np.clip(out, 0, 255).astype(np.uint8), mask


def differences(pixels: Array, mask: Array) -> float:
    """How far the colours of the document lie apart: the 90th percentile, ln of a ratio of channels from its median."""
    inside = pixels[mask > 250].astype(np.float32) + 12
    ratios = np.log(inside[:, [0, 2]] / inside[:, 1:2])
    return float(np.percentile(np.abs(ratios - np.median(ratios, axis=0)).max(axis=1), 90))


def views_of(rng: Rng, stock: Stock) -> list[tuple[Array, bool]]:
    """Some views of one document, and which of them show a grey copy."""
    flat, area = drawn(rng, stock)
    grey = toner_copy(rng, flat)
    out = []
    while len(out) < EACH:
        is_copy = bool(rng.random() < COPIES)
        pixels, mask = seen(rng, grey if is_copy else flat, area, stock)
        if (mask > 250).mean() < 0.2:
            continue
        if not is_copy and differences(pixels, mask) < COLOURED:
            if rng.random() < 0.3:
                return out
            continue
        out.append((photographed(rng, pixels), is_copy))
    return out


def fill(stock: Stock, stores: tuple[Array, ...], first: int, last: int, seed: int) -> None:
    """Views `first` to `last`; equal bounds give equal views."""
    views, copies = stores
    at, document = first, 0
    while at < last:
        for pixels, is_copy in views_of(np.random.default_rng((seed, first, document)), stock)[: last - at]:
            views[at], copies[at] = pixels, is_copy
            at += 1
        document += 1
    for store in stores:
        store.flush()  # type: ignore[attr-defined]


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers", "faces", "out")
    add_others(parser)
    add_views(parser, count=60000, seed=SEED, most=5000)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    stock = load_stock(arguments.data, arguments.teachers, arguments.others, arguments.faces, arguments.most, [], None)
    shapes: dict[str, tuple[int, ...]] = {
        "views": (arguments.count, PHOTOCOPY_SIZE, PHOTOCOPY_SIZE, 3),
        "copies": (arguments.count,),
    }
    stores = opened(arguments.out, shapes)
    bounds = np.linspace(0, arguments.count, arguments.processes + 1).astype(int).tolist()
    joined(started(fill, [(stock, stores, first, last, arguments.seed) for first, last in itertools.pairwise(bounds)]))
    finished(arguments.out, shapes)


if __name__ == "__main__":
    main()
