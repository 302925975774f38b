"""Verification on Labelled Faces in the Wild: the whole chain from bytes to cosine, in one number."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.cpu import available_cpus
from facematch_local.imaging.decode import decode
from facematch_local.packs import find_pack, load_pack


def held_out_accuracy(cosines: NDArray[np.float64], same: NDArray[np.bool_], fold: NDArray[np.int64]) -> float:
    """Mean over folds of the accuracy at the threshold that is best on all other folds."""
    candidates = np.linspace(-1, 1, 2001)
    accuracies = []
    for held_out in np.unique(fold):
        others = fold != held_out
        best = candidates[np.argmax([((cosines[others] > t) == same[others]).mean() for t in candidates])]
        accuracies.append(((cosines[~others] > best) == same[~others]).mean())
    return float(np.mean(accuracies))


def test_held_out_accuracy() -> None:
    same = np.array([True, False] * 40)
    fold = np.repeat(np.arange(8), 10)
    cosines = np.where(same, 0.7, 0.1)
    assert held_out_accuracy(cosines, same, fold) == 1.0
    cosines[:10] = np.where(same[:10], 0.1, 0.7)  # one fold all wrong
    assert held_out_accuracy(cosines, same, fold) == pytest.approx(7 / 8)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_lfw_with_buffalo_sc(shared: Path) -> None:
    """99.5 % is what these weights give; less means a fault in decoding, alignment or colour order.

    Half of the folds: all of them take a minute.
    """
    analyser = load_pack(find_pack(str(shared / "models" / "buffalo_sc"))).analyser
    with (shared / "data" / "lfw_pairs.csv").open(encoding="utf-8") as stream:
        pairs = [pair for pair in csv.DictReader(stream) if int(pair["fold"]) % 2 == 0]
    paths = sorted({pair[side] for pair in pairs for side in ("path1", "path2")})

    def embed(path: str) -> NDArray[np.float32] | None:
        pixels = decode((shared / "data" / path).read_bytes()).pixels
        faces = analyser.find(pixels)
        return analyser.embed(pixels, faces[0]).embedding if faces else None

    with ThreadPoolExecutor(available_cpus()) as pool:
        embeddings = dict(zip(paths, pool.map(embed, paths), strict=True))

    without_face = [path for path, embedding in embeddings.items() if embedding is None]
    assert not without_face
    cosines = np.array([float(np.dot(embeddings[p["path1"]], embeddings[p["path2"]])) for p in pairs])  # type: ignore[arg-type]
    same = np.array([pair["same"] == "1" for pair in pairs])
    fold = np.array([int(pair["fold"]) for pair in pairs])
    accuracy = held_out_accuracy(cosines, same, fold)
    print(f"LFW: {len(pairs)} pairs, {len(paths)} photos, accuracy {accuracy:.4%}")  # noqa: T201
    assert accuracy >= 0.994
