"""The loss that a printed card causes: pairs of photos, compared unchanged and with the first one on a synthetic card.

The comparisons of both kinds form the two groups of one ordinary dataset of pairs, so that every figure and report of
verification applies to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facematch_local.evaluation.table_file import InputError
from facematch_local.evaluation.verification.bootstrap import Interval
from facematch_local.evaluation.verification.dataset import Dataset, Pairs
from facematch_local.evaluation.verification.embed import Embeddings
from facematch_local.evaluation.verification.pairs import pair_scores
from facematch_local.imaging.decode import decode, encode_jpeg
from facematch_local.synthetic.printed_card import CardLook, card_photo

PORTRAIT_GROUP = "portrait to portrait"
CARD_GROUP = "card to portrait"
MAX_PROBES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Photos, synthetic cards and the pairs of both.

    Attributes:
        dataset: the pairs; its photos are real files and names of cards.
        cards: the photo of each card, by the name of the card.
        look: strength of the steps that draw the cards.
    """

    dataset: Dataset
    cards: Mapping[Path, Path]
    look: CardLook

    def read(self, path: Path) -> bytes:
        """The bytes of a photo, or of a card, which is drawn now with a fixed seed.

        Raises:
            OSError: the file cannot be read.
            FacematchError: the file is not a photo.
        """
        source = self.cards.get(path)
        if source is None:
            return path.read_bytes()
        portrait = decode(source.read_bytes()).pixels
        seed = int.from_bytes(hashlib.sha256(f"{source.parent.name}/{source.name}".encode()).digest()[:4], "big")
        return encode_jpeg(card_photo(portrait, seed, self.look), 97)


def plan(dataset: Dataset, people: int, look: CardLook | None = None) -> Plan:
    """Choose people with several photos and pair them.

    The first photo of each person is the reference, and the portrait on the card; up to `MAX_PROBES` others are probes.
    Every reference and every card is compared with every probe.

    Args:
        dataset: photos and people.
        people: largest number of people, evenly spaced over the dataset.
        look: strength of the steps that draw the cards.

    Raises:
        InputError: fewer than two people have two photos.
    """
    photos_of: dict[int, list[int]] = {}
    for photo, subject in enumerate(dataset.subjects.tolist()):
        photos_of.setdefault(subject, []).append(photo)
    several = [photos for photos in photos_of.values() if len(photos) > 1]
    if len(several) < 2:
        raise InputError(f"{dataset.name}: at least two people with two photos each are needed")
    chosen = [several[at] for at in np.linspace(0, len(several) - 1, min(people, len(several))).astype(int)]
    references = [dataset.photos[photos[0]] for photos in chosen]
    cards = [path.with_name(f"card of {path.name}") for path in references]
    probes = [(person, dataset.photos[at]) for person, photos in enumerate(chosen) for at in photos[1 : 1 + MAX_PROBES]]
    count, portraits = len(chosen), len(probes)
    owner = np.array([person for person, _ in probes])
    reference, probe = (grid.ravel() for grid in np.meshgrid(np.arange(count), np.arange(portraits), indexing="ij"))
    same = reference == owner[probe]
    pairs = Pairs(
        first=np.concatenate([reference, reference + count]).astype(np.int32),
        second=np.concatenate([probe, probe]).astype(np.int32) + np.int32(2 * count),
        same=np.concatenate([same, same]),
        group=[PORTRAIT_GROUP] * len(same) + [CARD_GROUP] * len(same),
        fold=[""] * (2 * len(same)),
    )
    subjects = np.concatenate([np.arange(count), np.arange(count), owner]).astype(np.int32)
    photos = [*references, *cards, *(path for _, path in probes)]
    paired = Dataset(f"{dataset.name}, synthetic cards", photos, subjects, [""] * len(photos), pairs, dataset.problems)
    return Plan(paired, dict(zip(cards, references, strict=True)), look or CardLook())


@dataclass(frozen=True, slots=True)
class Shift:
    """The change of the score of a pair from portrait to card.

    Attributes:
        mated: mean change of the cosine of mated pairs.
        interval: its 95 % interval over people.
        non_mated: mean change of non-mated pairs.
        pairs: number of mated pairs with both comparisons completed.
    """

    mated: float
    interval: Interval
    non_mated: float
    pairs: int


def shift(dataset: Dataset, embeddings: Embeddings, replicates: int = 500, seed: int = 0) -> Shift:
    """The change of scores from portrait to card, pair by pair.

    Raises:
        ValueError: the dataset has no pairs.
    """
    pairs = dataset.pairs
    if pairs is None:
        raise ValueError("not the dataset of a plan")
    half = len(pairs.first) // 2
    scores = pair_scores(embeddings.matrix, pairs.first, pairs.second)
    usable = embeddings.usable[pairs.first] & embeddings.usable[pairs.second]
    both = usable[:half] & usable[half:]
    change = (scores[half:] - scores[:half])[both]
    same, person = pairs.same[:half][both], dataset.subjects[pairs.first[:half]][both]
    interval = _mean_interval(change[same], person[same], replicates, seed)
    return Shift(_mean(change[same]), interval, _mean(change[~same]), int(same.sum()))


def _mean(values: NDArray[np.float32]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _mean_interval(values: NDArray[np.float32], person: NDArray[np.int32], replicates: int, seed: int) -> Interval:
    if not len(values):
        return Interval(float("nan"), float("nan"))
    _, number = np.unique(person, return_inverse=True)
    sums, counts = np.bincount(number, values), np.bincount(number)
    draws = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), replicates)
    low, high = np.quantile((draws @ sums) / (draws @ counts), [0.025, 0.975])
    return Interval(float(low), float(high))


def first_cards(plan: Plan, number: int) -> list[tuple[str, bytes]]:
    """File name and JPEG of the first cards."""
    first = list(plan.cards.items())[:number]
    return [(f"{source.parent.name}_{source.stem}_card.jpg", plan.read(card)) for card, source in first]
