"""Cards with a swapped portrait or an edited text."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from facematch_local.imaging.photo import Pixels
from facematch_local.synthetic.cards import Card
from facematch_local.synthetic.pixels import cropped_to, jpeg, to_uint8
from facematch_local.synthetic.text import NAMES, write_text

Swap = Literal["paste", "blended", "recompressed"]

SWAPS: Final[tuple[Swap, ...]] = ("paste", "blended", "recompressed")


def swap_portrait(card: Card, portrait: Pixels, rng: np.random.Generator, kind: Swap) -> Pixels:
    """The card with the portrait of another person instead of its own.

    Args:
        card: a drawn card.
        portrait: photo of the other person.
        rng: decides the quality of the recompression.
        kind: `paste` pastes the portrait unchanged; `blended` fits its brightness and colours and softens the seam;
            `recompressed` pastes it from a low-quality JPEG on another 8-pixel grid.
    """
    import cv2

    left, top, right, bottom = card.portrait
    new = cropped_to(portrait, right - left, bottom - top)
    if kind == "recompressed":
        new = jpeg(new, int(rng.integers(40, 65)))
    out = card.pixels.copy()
    if kind != "blended":
        out[top:bottom, left:right] = new
        return out
    old = card.pixels[top:bottom, left:right].astype(np.float32)
    fitted = new.astype(np.float32)
    fitted = (fitted - fitted.mean((0, 1))) / (fitted.std((0, 1)) + 1) * (old.std((0, 1)) + 1) + old.mean((0, 1))
    seam = max((right - left) // 16, 3)
    alpha = np.zeros(old.shape[:2], np.float32)
    alpha[seam:-seam, seam:-seam] = 1
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), seam / 2), np.float32)[..., None]
    out[top:bottom, left:right] = to_uint8(old * (1 - alpha) + fitted * alpha)
    return out


def edit_text(card: Card, rng: np.random.Generator) -> Pixels:
    """The card with one strip beside the portrait wiped and new text written on it."""
    out = card.pixels.copy()
    height, width = out.shape[:2]
    left, top, right, bottom = card.portrait
    free_left, free_right = (right, width) if width - right > left else (0, left)
    x = int(free_left + 0.1 * (free_right - free_left))
    y = int(rng.uniform(top, bottom - 0.12 * height))
    w, h = int(0.6 * (free_right - free_left)), max(int(0.055 * height), 8)
    patch = out[y : y + h, x : x + w]
    patch[:] = np.median(patch.reshape(-1, 3), axis=0).astype(np.uint8)
    write_text(out, (x, y), " ".join(rng.choice(NAMES, 2)), int(0.9 * h), (25, 20, 20))
    return out
