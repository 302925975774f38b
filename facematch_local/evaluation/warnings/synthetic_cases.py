"""Synthetic cases for the warnings for which few real photos exist; `facematch_local.synthetic` draws them."""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facematch_local import synthetic
from facematch_local.checks.check import Role
from facematch_local.codes import WarningCode
from facematch_local.evaluation.table_file import InputError
from facematch_local.evaluation.warnings.cases import Case

if TYPE_CHECKING:
    from facematch_local.imaging.photo import Pixels

Draw = Callable[[np.random.Generator], "Pixels"]

LARGE = 700
"""Longer side in pixels of a portrait before its recapture."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of synthetic case.

    Attributes:
        name: its description.
        codes: the codes it speaks of; a negative number stands for a code that must not be raised.
        role: the role in which the photo is examined.
        draw: draws the photo.
    """

    name: str
    codes: tuple[int, ...]
    role: Role
    draw: Draw


def sources(cases: Sequence[Case]) -> tuple[list[str], list[str]]:
    """Photos to draw synthetic cases from: an ordinary portrait of each person, and photos without a document.

    Portraits of unknown people may show the same person twice, or several people; they are used only where fewer than
    two people are known.
    """
    portraits: dict[str, str] = {}
    for case in cases:
        if case.code is WarningCode.SUCCESSFUL and case.role is Role.PORTRAIT:
            portraits.setdefault(case.subject, case.name)
    ordinary = {case.name for case in cases if case.code is WarningCode.SUCCESSFUL}
    # A portrait is not a document either, but its face would compete with that of the card.
    bare = (c.name for c in cases if c.code is WarningCode.NO_CARD and c.positive and c.name not in ordinary)
    known = [name for subject, name in portraits.items() if subject != name]
    return known if len(known) > 1 else list(portraits.values()), list(dict.fromkeys(bare))


def synthetic_cases(portraits: Sequence[Path], backgrounds: Sequence[Path], count: int, seed: int = 1) -> list[Case]:
    """`count` synthetic cases of each kind.

    Args:
        portraits: ordinary portraits, one of each person.
        backgrounds: photos without a document.
        count: number of cases of each kind.
        seed: equal arguments give equal cases.

    Raises:
        InputError: the portraits show fewer than two people, or there is no background.
    """
    portraits, backgrounds = list(dict.fromkeys(portraits)), list(dict.fromkeys(backgrounds))
    if len(portraits) < 2 or not backgrounds:
        raise InputError(
            "synthetic cases need portraits of two people (--portraits, or code 0) and a photo without a document "
            f"(code 1, positive); the lists have {len(portraits)} and {len(backgrounds)}"
        )
    people = len(portraits)
    step, background_step = _coprime(7, people), _coprime(5, len(backgrounds))
    distance = 1 if people == 3 else 3
    cases: list[Case] = []
    for index in range(count):
        scene = Scene(
            own=portraits[index * step % people],
            other=portraits[(index * step + distance) % people],
            background=backgrounds[index * background_step % len(backgrounds)],
            passport=index % 3 == 0,
        )
        for kind in scene.kinds():
            # Each case has its own generator, so that a new kind does not change the others. "made" is part of the key
            # for the sake of published figures: another word would draw other cases.
            draw = partial(_drawn, kind.draw, seed, zlib.crc32(f"made/{kind.name} {index}".encode()))
            name = f"synthetic/{kind.name} {index}"
            cases += [
                Case(name, WarningCode(abs(code)), code > 0, kind.role, kind.name, True, draw) for code in kind.codes
            ]
    return cases


@dataclass(frozen=True, slots=True)
class Scene:
    """The photos of one round of synthetic cases.

    Attributes:
        own: portrait of the person.
        other: portrait of another person.
        background: photo without a document.
        passport: whether the document is a passport instead of a card.
    """

    own: Path
    other: Path
    background: Path
    passport: bool

    def kinds(self) -> Iterator[Kind]:
        """All kinds of cases of this scene."""
        yield from self._documents()
        yield from self._tampered_documents()
        yield from self._portraits()

    def _documents(self) -> Iterator[Kind]:
        role, flat, lying = Role.CARD, self._flat, self._lying
        yield Kind("card scanned", (-1, -2, -3, -4), role, lambda rng: flat(rng).pixels)
        yield Kind("card scanned, compressed twice", (-3,), role, lambda rng: _compressed(flat(rng).pixels, rng))
        yield Kind("card on a table", (-1, -2, -4), role, lambda rng: lying(flat(rng).pixels, rng))
        yield Kind("card with a grey portrait", (-1, -2), role, lambda rng: lying(flat(rng, engraved=True).pixels, rng))
        yield Kind("card without a portrait", (-1, 4), role, lambda rng: flat(rng, bare=True).pixels)
        yield Kind(
            "card without a portrait on a table", (-1, 4), role, lambda rng: lying(flat(rng, bare=True).pixels, rng)
        )
        yield Kind(
            "grey copy on a table", (-1, 2), role, lambda rng: lying(synthetic.photocopy(flat(rng).pixels, rng), rng)
        )
        yield Kind(
            "card with a ghost portrait", (-6,), role, lambda rng: self._twice(rng, self.own, (0.45, 0.7), (0.4, 0.8))
        )
        yield Kind(
            "card with two people", (6,), role, lambda rng: self._twice(rng, self.other, (0.65, 0.8), (0.9, 1.0))
        )

    def _tampered_documents(self) -> Iterator[Kind]:
        for swap in synthetic.SWAPS:
            yield Kind(f"portrait swapped, {swap}", (3,), Role.CARD, partial(self._swapped, swap))
        yield Kind(
            "text edited", (3,), Role.CARD, lambda rng: _compressed(synthetic.edit_text(self._flat(rng), rng), rng)
        )

    def _portraits(self) -> Iterator[Kind]:
        role, own, other = Role.PORTRAIT, partial(_read, self.own), partial(_read, self.other)

        def large() -> Pixels:
            return synthetic.fitted_to(own(), LARGE)

        yield Kind("recaptured from a screen", (10,), role, lambda rng: synthetic.screen_recapture(large(), rng))
        yield Kind("recaptured from a print", (10,), role, lambda rng: synthetic.print_recapture(large(), rng))
        # An LFW portrait has 42 pixels between the eyes; a blur of 0.075 of that and more is strong.
        yield Kind("blurred", (10,), role, lambda rng: synthetic.gaussian_blur(own(), rng.uniform(3.2, 6.0)))
        yield Kind("moved", (10,), role, lambda rng: synthetic.motion_blur(own(), int(rng.integers(13, 25)), rng))
        yield Kind(
            "scaled to a tiny face", (11,), role, lambda rng: synthetic.fitted_to(own(), int(rng.integers(54, 100)))
        )
        yield Kind("face at the border", (12,), role, lambda rng: synthetic.cut(own(), rng, rng.uniform(0.3, 0.42)))
        yield Kind("two people", (6,), role, lambda _: synthetic.side_by_side(own(), other(), 1.0))
        yield Kind("bystander far behind", (-6,), role, lambda _: synthetic.side_by_side(own(), other(), 0.35))
        yield Kind("poster on the wall", (-6,), role, lambda rng: synthetic.with_poster(own(), other(), rng))
        yield Kind("face on a shirt", (-6,), role, lambda rng: synthetic.on_shirt(own(), other(), rng))

    def _flat(self, rng: np.random.Generator, bare: bool = False, engraved: bool = False) -> synthetic.Card:
        """A scanned document."""
        portrait, width = None if bare else _read(self.own), int(rng.choice([600, 800, 1000]))
        drawn = synthetic.draw_card(portrait, rng, width, passport=self.passport, engraved=engraved)
        return synthetic.Card(synthetic.jpeg(drawn.pixels, int(rng.integers(70, 96))), drawn.portrait)

    def _lying(self, document: Pixels, rng: np.random.Generator) -> Pixels:
        """A photo of the document on the background."""
        background = synthetic.fitted_to(_read(self.background), int(rng.choice([900, 1300])))
        photo, _ = synthetic.on_background(document, background, rng, share=rng.uniform(0.4, 0.85))
        cast = (rng.uniform(0.65, 1.15), rng.uniform(0.8, 1.1), rng.uniform(0.7, 1.15))
        return synthetic.jpeg(synthetic.lit(photo, rng, rng.uniform(0.35, 1.1), cast), 85)

    def _swapped(self, swap: synthetic.Swap, rng: np.random.Generator) -> Pixels:
        """A scanned document with the portrait of the other person."""
        return _compressed(synthetic.swap_portrait(self._flat(rng), _read(self.other), rng, swap), rng)

    def _twice(
        self, rng: np.random.Generator, second: Path, size: tuple[float, float], opacity: tuple[float, float]
    ) -> Pixels:
        """A scanned document with a second portrait."""
        return synthetic.with_second_portrait(self._flat(rng), _read(second), rng, size, opacity).pixels


def _compressed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return synthetic.jpeg(pixels, int(rng.integers(75, 96)))


def _drawn(draw: Draw, seed: int, key: int) -> Pixels:
    return draw(np.random.default_rng([seed, key]))


def _read(path: Path) -> Pixels:
    from facematch_local.imaging.decode import decode

    return decode(path.read_bytes()).pixels


def _coprime(step: int, count: int) -> int:
    """The lowest step from `step` on that visits all of `count` files before it repeats one."""
    return next(n for n in itertools.count(step) if math.gcd(n, count) == 1)
