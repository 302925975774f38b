"""A last linear layer that makes the student's errors rounder, folded into its embedding layer.

Where the student errs most on people it never saw, its embedding should count less: the covariance N of the errors on
fresh morphs (student minus scaled teacher) gives the map N^(-EXPONENT/2), a mild form of within-class covariance
normalisation (Hatch et al. 2006). It costs nothing when used.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from augment import alignment
from faces import Faces
from morphs import Maker
from net import Recogniser
from stock import cropped, to_input
from teacher import Teacher
from train import embed

Array = np.ndarray[Any, Any]

PARTS, PART, SEED, EXPONENT, FLOOR = 9, 256, 987_000, 0.5, 1e-4


def fresh(maker: Maker) -> dict[str, Array]:
    """Morphs that took no part in the training."""
    parts = [maker.labelled(np.random.default_rng(SEED + i), PART) for i in range(PARTS)]
    return {name: np.concatenate([part[name] for part in parts]) for name in ("crops", "five", "embeddings")}


def rounder(network: Recogniser, morphs: dict[str, Array]) -> Array:
    """The symmetric map [256,256], scaled to keep lengths about as they are."""
    crops = [cropped(crop, alignment(five, None)) for crop, five in zip(morphs["crops"], morphs["five"], strict=True)]
    found = embed(network, to_input(np.stack(crops)))
    wanted = morphs["embeddings"]
    errors = found - wanted * (found * wanted).sum(1).mean()
    values, vectors = np.linalg.eigh(np.cov(errors.T) + FLOOR * np.eye(found.shape[1]))
    gains = values ** (-EXPONENT / 2)
    return (vectors * (gains / gains.mean())) @ vectors.T


def fold(network: Recogniser, matrix: Array) -> None:
    """Put the map behind the embedding layer, in place."""
    extra = torch.from_numpy(matrix.astype(np.float32))
    network.embed.weight.data = extra @ network.embed.weight.data
    network.embed.bias.data = extra @ network.embed.bias.data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--teachers", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    state = torch.load(arguments.checkpoint, map_location="cpu", weights_only=False)
    network = Recogniser()
    network.load_state_dict(state["ema"])
    unseen = arguments.work / "unseen.npz"
    if not unseen.exists():
        with np.load(arguments.work / "targets.npz") as stored:
            embeddings = stored["embeddings"]
        maker = Maker(Faces.load(arguments.work / "faces.npz"), embeddings, Teacher(arguments.teachers))
        np.savez(unseen, **fresh(maker))
    with np.load(unseen) as stored:
        morphs = {name: stored[name] for name in stored}
    fold(network, rounder(network.to(memory_format=torch.channels_last), morphs))
    state["ema"] = network.state_dict()
    torch.save(state, arguments.out)


if __name__ == "__main__":
    main()
