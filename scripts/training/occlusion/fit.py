"""Fit the linear occlusion measure that is used with packs without an occlusion head.

    python scripts/training/occlusion/fit.py --data ../shared/data --pack PACK \\
        --out facematch_local/checks/occlusion_linear.npz

Logistic regression (L2, positives and negatives weighted to equal shares by the square root), on the half of
the photos that `facematch_local.evaluation.split` does not hold out; each photo also mirrored.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from facematch_local.checks.occlusion_linear import KINDS, features
from facematch_local.evaluation.split import held_out, held_out_people
from facematch_local.imaging.decode import decode
from facematch_local.networks.occlusion import occlusion_crop
from facematch_local.packs import find_pack, load_pack

POSITIVE = {"sunglasses": {"sunglasses"}, "hat": {"hat_pseudo"}, "mask": {"mask"}}
# Bare foreheads are not labelled in the scraped sets, so hats are learned against LFW alone.
NEGATIVE = {
    "sunglasses": {"plain", "no_mask", "eyewear_pseudo_mostly_eyeglasses"},
    "hat": {"plain", "eyewear_pseudo_mostly_eyeglasses"},
    "mask": {"plain", "no_mask", "eyewear_pseudo_mostly_eyeglasses"},
}


def fit(x: np.ndarray, y: np.ndarray, l2: float = 10.0) -> tuple[np.ndarray, float]:
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-3
    z = (x - mean) / spread
    weight = np.sqrt(np.where(y > 0, (y == 0).sum() / max(y.sum(), 1), 1.0))

    def loss(p: np.ndarray) -> tuple[float, np.ndarray]:
        logits = z @ p[:-1] + p[-1]
        gradient = (1 / (1 + np.exp(-logits)) - y) * weight
        value = ((np.logaddexp(0, logits) - y * logits) * weight).sum() + l2 * (p[:-1] ** 2).sum()
        return value, np.append(z.T @ gradient + 2 * l2 * p[:-1], gradient.sum())

    result = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 400})
    weights = result.x[:-1] / spread
    return weights, result.x[-1] - weights @ mean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with (options.data / "labels.csv").open(newline="") as stream:
        labels = {row["path"]: row["label"] for row in csv.DictReader(stream)}
    people = held_out_people(options.data / "lfw_pairs.csv")
    plain = [p for s in ("lfw", "asian_faces") for p in sorted((options.data / s).rglob("*.jpg"))]
    plain = [p for i, p in enumerate(plain) if i % 5 == 0 or "asian" in str(p)]
    paths = [path for path in labels if path.startswith(("lfw", "masks", "sunglasses"))]
    for file in plain:
        name = file.relative_to(options.data).as_posix()
        if name not in labels:
            labels[name] = "plain"
            paths.append(name)
    analyser = load_pack(find_pack(options.pack)).analyser
    rows, kinds = [], []
    for path in paths:
        if held_out(path, people):
            continue
        photo = decode((options.data / path).read_bytes())
        faces = analyser.find(photo.pixels)
        if not faces:
            continue
        crop = occlusion_crop(photo.pixels, faces[0])
        rows += [features(crop), features(np.ascontiguousarray(crop[:, ::-1]))]
        kinds += [labels[path]] * 2
    x, label = np.array(rows), np.array(kinds)
    weights, bias = [], []
    for kind in KINDS:
        positive, negative = np.isin(label, list(POSITIVE[kind])), np.isin(label, list(NEGATIVE[kind]))
        used = positive | negative
        w, b = fit(x[used], positive[used].astype(np.float64))
        print(f"{kind}: {positive.sum() // 2} positive, {negative.sum() // 2} negative photos")
        weights.append(w)
        bias.append(b)
    np.savez_compressed(options.out, weights=np.array(weights, np.float16), bias=np.array(bias, np.float32))


if __name__ == "__main__":
    main()
