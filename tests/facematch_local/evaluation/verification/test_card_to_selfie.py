"""The plan of pairs, and the change from portrait to card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facematch_local.evaluation.table_file import InputError
from facematch_local.evaluation.verification.card_to_selfie import CARD_GROUP, PORTRAIT_GROUP, first_cards, plan, shift
from facematch_local.evaluation.verification.dataset import Dataset
from facematch_local.evaluation.verification.embed import Embeddings
from facematch_local.imaging.decode import decode


@pytest.fixture
def dataset() -> Dataset:
    photos = [Path(f"p{person}/{photo}.jpg") for person, count in enumerate((1, 2, 6, 3)) for photo in range(count)]
    subjects = np.repeat([0, 1, 2, 3], [1, 2, 6, 3]).astype(np.int32)
    return Dataset("photos", photos, subjects, [""] * 12)


def test_both_groups_hold_the_same_pairs(dataset: Dataset) -> None:
    planned = plan(dataset, people=10).dataset
    pairs = planned.pairs
    assert pairs is not None
    # Three people have two photos; 1 + 3 + 2 portraits of them are compared with 3 references, twice.
    half = 3 * 6
    assert list(pairs.group) == [PORTRAIT_GROUP] * half + [CARD_GROUP] * half
    assert int(pairs.same.sum()) == 2 * 6
    for at in range(half):
        reference, card = planned.photos[pairs.first[at]], planned.photos[pairs.first[at + half]]
        assert card == reference.with_name(f"card of {reference.name}")
        assert pairs.second[at] == pairs.second[at + half]
        portrait = planned.photos[pairs.second[at]]
        assert portrait != reference
        assert pairs.same[at] == (portrait.parent == reference.parent)


def test_people_are_limited_and_too_few_are_refused(dataset: Dataset) -> None:
    assert len(plan(dataset, people=2).cards) == 2
    single = Dataset("one", dataset.photos[:3], dataset.subjects[:3], [""] * 3)
    with pytest.raises(InputError, match="two people"):
        plan(single, people=10)


@pytest.mark.slow
def test_a_card_is_drawn_from_the_photo_and_always_the_same(
    tmp_path: Path, astronaut_jpeg: bytes, dataset: Dataset
) -> None:
    photos = []
    for photo in dataset.photos:
        path = tmp_path / photo
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(astronaut_jpeg)
        photos.append(path)
    planned = plan(replace(dataset, photos=photos), people=2)
    card, source = next(iter(planned.cards.items()))
    assert planned.read(source) == astronaut_jpeg
    assert planned.read(card) == planned.read(card) != astronaut_jpeg
    assert decode(planned.read(card)).width > 400
    assert [name for name, _ in first_cards(planned, 1)] == ["p1_0_card.jpg"]


def test_shift_is_the_mean_change_of_mated_pairs(dataset: Dataset) -> None:
    planned = plan(dataset, people=10).dataset
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(len(planned.photos), 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    usable = np.ones(len(rows), bool)
    usable[4] = False  # the card of the second person was not found
    size = len(rows)
    embeddings = Embeddings(
        rows.astype(np.float32),
        usable,
        ~usable,
        np.arange(size, dtype=np.int32),
        [""] * size,
    )
    result = shift(planned, embeddings)
    expected = []
    for person in (0, 2):
        portraits = [at for at in range(6, size) if planned.subjects[at] == person]
        expected += [rows[person + 3] @ rows[at] - rows[person] @ rows[at] for at in portraits]
    assert result.mated == pytest.approx(np.mean(expected), abs=1e-6)
    assert result.pairs == 3
    assert result.interval.low <= result.mated <= result.interval.high


@pytest.mark.slow
def test_command(
    tmp_path: Path,
    astronaut_jpeg: bytes,
    group_photo_jpeg: bytes,
    pack_path: Path,
    facematch: Callable[..., Any],
) -> None:
    for person, data in (("anna", astronaut_jpeg), ("ben", group_photo_jpeg)):
        (tmp_path / "people" / person).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "people" / person / f"{number}.jpg").write_bytes(data)
    done = facematch(
        "evaluate", "card-to-selfie", tmp_path / "people", "--pack", pack_path, "--samples", tmp_path / "cards",
        "--html", tmp_path / "o.html",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "the cosine of mated pairs changes by -" in done.out
    assert len(list((tmp_path / "cards").glob("*.jpg"))) == 2
    assert "card of 0.jpg" in (tmp_path / "o.html").read_text("utf-8")
