"""Made cases for the warnings of which real photos cannot be had in number; see `evaluation.made`."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facematch_local.checks.check import Role
from facematch_local.codes import WarningCode
from facematch_local.evaluation.split import LabelError
from facematch_local.evaluation.warnings.report import Case
from facematch_local.synthetic import cases as made

if TYPE_CHECKING:
    from facematch_local.imaging.photo import Pixels

Draw = Callable[[np.random.Generator], "Pixels"]


def sources(cases: Sequence[Case]) -> tuple[list[str], list[str]]:
    """What made cases can be made of: an ordinary portrait of each person, and the photos without a document.

    Folders tell who is who. Photos that lie in none of a person may show anybody, or several people, so they are taken
    only where there are not two people in such folders.
    """
    portraits: dict[str, str] = {}
    for case in cases:
        if case.code is WarningCode.SUCCESSFUL and case.role is Role.PORTRAIT:
            portraits.setdefault(case.person, case.name)
    ordinary = {case.name for case in cases if case.code is WarningCode.SUCCESSFUL}
    # A portrait is no document either, but its face would be looked for beside that of the card.
    bare = (c.name for c in cases if c.code is WarningCode.NO_CARD and c.positive and c.name not in ordinary)
    known = [name for shown, name in portraits.items() if shown != name]
    return known if len(known) > 1 else list(portraits.values()), list(dict.fromkeys(bare))


def made_cases(portraits: Sequence[Path], backgrounds: Sequence[Path], count: int, seed: int = 1) -> list[Case]:
    """`count` made cases of each kind.

    Args:
        portraits: ordinary portraits, one of each person, of the half that is reported on.
        backgrounds: photos without a document, of that half.
        count: of each kind.
        seed: two calls with equal arguments make equal cases.

    Raises:
        LabelError: there are portraits of fewer than two people, or no background.
    """
    portraits, backgrounds = list(dict.fromkeys(portraits)), list(dict.fromkeys(backgrounds))
    if len(portraits) < 2 or not backgrounds:
        raise LabelError(
            "made cases need portraits of two people (--portraits, or code 0) and a photo without a document "
            f"(code 1, positive) in the half asked for; there are {len(portraits)} and {len(backgrounds)}"
        )
    people = len(portraits)
    step, ground_step, next_one = _coprime(7, people), _coprime(5, len(backgrounds)), 1 if people == 3 else 3
    cases: list[Case] = []
    for index in range(count):
        own = portraits[index * step % people]
        other = portraits[(index * step + next_one) % people]
        ground = backgrounds[index * ground_step % len(backgrounds)]
        for kind, codes, role, draw in _kinds(own, other, ground, index):
            name = f"made/{kind} {index}"
            # Each case has a generator of its own, so that one more kind does not change the others.
            source = partial(_drawn, draw, seed, zlib.crc32(name.encode()))
            cases += [Case(name, WarningCode(abs(code)), code > 0, role, kind, True, source) for code in codes]
    return cases


def _kinds(own: Path, other: Path, ground: Path, index: int) -> Iterator[tuple[str, tuple[int, ...], Role, Draw]]:
    """Kind, codes (negative: must not be raised), role, and how it is drawn."""
    card, portrait = Role.CARD, Role.PORTRAIT

    def flat(rng: np.random.Generator, bare: bool = False, engraved: bool = False) -> made.Card:
        shown, width = None if bare else _read(own), int(rng.choice([600, 800, 1000]))
        drawn = made.draw_card(shown, rng, width, passport=index % 3 == 0, engraved=engraved)
        return made.Card(made.jpeg(drawn.pixels, int(rng.integers(70, 96))), drawn.portrait)

    def lying(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        background = made.fitted_to(_read(ground), int(rng.choice([900, 1300])))
        photo, _ = made.on_background(pixels, background, rng, share=rng.uniform(0.4, 0.85))
        cast = (rng.uniform(0.65, 1.15), rng.uniform(0.8, 1.1), rng.uniform(0.7, 1.15))
        return made.jpeg(made.lit(photo, rng, rng.uniform(0.35, 1.1), cast), 85)

    def again(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        return made.jpeg(pixels, int(rng.integers(75, 96)))

    def large(path: Path) -> Pixels:
        return made.fitted_to(_read(path), 700)

    yield "card scanned", (-1, -2, -3, -4), card, lambda rng: flat(rng).pixels
    yield "card scanned, compressed twice", (-3,), card, lambda rng: again(flat(rng).pixels, rng)
    yield "card on a table", (-1, -2, -4), card, lambda rng: lying(flat(rng).pixels, rng)
    yield "card with a grey portrait", (-1, -2), card, lambda rng: lying(flat(rng, engraved=True).pixels, rng)
    yield "card without a portrait", (-1, 4), card, lambda rng: flat(rng, bare=True).pixels
    yield "card without a portrait on a table", (-1, 4), card, lambda rng: lying(flat(rng, bare=True).pixels, rng)
    yield "grey copy on a table", (-1, 2), card, lambda rng: lying(made.photocopy(flat(rng).pixels, rng), rng)
    swaps: tuple[made.Swap, ...] = ("paste", "blended", "recompressed")
    for swap in swaps:

        def swapped(rng: np.random.Generator, swap: made.Swap = swap) -> Pixels:
            return again(made.swap_portrait(flat(rng), _read(other), rng, swap), rng)

        yield f"portrait swapped, {swap}", (3,), card, swapped
    yield "text edited", (3,), card, lambda rng: again(made.edit_text(flat(rng), rng), rng)
    yield "recaptured from a screen", (10,), portrait, lambda rng: made.screen_recapture(large(own), rng)
    yield "recaptured from a print", (10,), portrait, lambda rng: made.print_recapture(large(own), rng)
    # 42 pixels lie between the eyes of an LFW portrait; strong is 0.075 of that and more.
    yield "blurred", (10,), portrait, lambda rng: made.gaussian_blur(_read(own), rng.uniform(3.2, 6.0))
    yield "moved", (10,), portrait, lambda rng: made.motion_blur(_read(own), int(rng.integers(13, 25)), rng)
    yield "scaled to a tiny face", (11,), portrait, lambda rng: made.fitted_to(_read(own), int(rng.integers(54, 100)))
    yield "face at the border", (12,), portrait, lambda rng: made.cut(_read(own), rng, rng.uniform(0.3, 0.42))
    yield "two people", (6,), portrait, lambda _: made.side_by_side(_read(own), _read(other), 1.0)
    yield "bystander far behind", (-6,), portrait, lambda _: made.side_by_side(_read(own), _read(other), 0.35)
    yield "poster on the wall", (-6,), portrait, lambda rng: made.with_poster(_read(own), _read(other), rng)
    yield "face on a shirt", (-6,), portrait, lambda rng: made.on_shirt(_read(own), _read(other), rng)

    def twice(rng: np.random.Generator, shown: Path, size: tuple[float, float], opacity: tuple[float, float]) -> Pixels:
        return made.with_second_portrait(flat(rng), _read(shown), rng, size, opacity).pixels

    yield "card with a ghost portrait", (-6,), card, lambda rng: twice(rng, own, (0.45, 0.7), (0.4, 0.8))
    yield "card with two people", (6,), card, lambda rng: twice(rng, other, (0.65, 0.8), (0.9, 1.0))


def _drawn(draw: Draw, seed: int, key: int) -> Pixels:
    return draw(np.random.default_rng([seed, key]))


def _read(path: Path) -> Pixels:
    from facematch_local.imaging.decode import decode

    return decode(path.read_bytes()).pixels


def _coprime(step: int, count: int) -> int:
    """The first step from `step` on that meets all of `count` files before it meets one again."""
    return next(n for n in itertools.count(step) if math.gcd(n, count) == 1)
