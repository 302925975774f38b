"""Fit the weights of `facematch_local.checks.tampering` on made swaps and print how they do on people not used.

    python scripts/training/tampering/fit.py --data ../shared/data --pack PACK --cards 60

Cards are drawn around LFW portraits (`facematch_local.evaluation.made`), compressed once and twice, and tampered with:
portraits pasted, blended, pasted after another compression, text edited. People of the held-out folds are only
used for the figures. The weights are printed, to be copied into the module.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from facematch_local.checks.document import find_document
from facematch_local.checks.tampering import features, traces
from facematch_local.evaluation import made
from facematch_local.evaluation.split import held_out, held_out_people
from facematch_local.images import decode
from facematch_local.packs import find_pack, load_pack

TAMPERED = ("paste", "blended", "recompressed")


def variants(own: np.ndarray, other: np.ndarray, rng: np.random.Generator, passport: bool) -> dict[str, np.ndarray]:
    drawn = made.draw_card(own, rng, int(rng.choice([600, 800, 1000])), passport)
    once = made.Card(made.jpeg(drawn.pixels, int(rng.integers(70, 96))), drawn.portrait)
    quality = int(rng.integers(75, 96))
    swaps = {kind: made.jpeg(made.swap_portrait(once, other, rng, kind), quality) for kind in TAMPERED}
    text = made.jpeg(made.edit_text(once, rng), quality)
    return {"once": once.pixels, "twice": made.jpeg(once.pixels, quality), **swaps, "text": text}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", required=True)
    parser.add_argument("--cards", type=int, default=60)
    parser.add_argument("--l2", type=float, default=0.02)
    options = parser.parse_args()
    people = held_out_people(options.data / "lfw_pairs.csv")
    photos = sorted((options.data / "lfw").rglob("*_0001.jpg"))[::11]
    halves = [
        [p for p in photos if held_out(p.relative_to(options.data).as_posix(), people) is h] for h in (False, True)
    ]
    analyser = load_pack(find_pack(options.pack)).analyser
    rows, kinds, unseen = [], [], []
    for index in range(options.cards):
        rng = np.random.default_rng(index)
        half = halves[index % 2]
        own, other = (decode(half[i % len(half)].read_bytes()).pixels for i in (index * 3, index * 3 + 1))
        for kind, pixels in variants(own, other, rng, index % 3 == 0).items():
            faces = analyser.find(pixels)
            found = traces(pixels, find_document(pixels, faces[0]), faces[0]) if faces else None
            if found is not None:
                rows.append(features(found))
                kinds.append(kind)
                unseen.append(index % 2 == 1)
    x, kind, held = np.array(rows), np.array(kinds), np.array(unseen)
    y = np.isin(kind, TAMPERED).astype(np.float64)
    used = ~held & (kind != "text")

    def loss(p: np.ndarray) -> float:
        logits = x[used] @ p[:-1] + p[-1]
        return float((np.logaddexp(0, logits) - y[used] * logits).mean() + options.l2 * (p[:-1] ** 2).sum())

    # Each sign may only speak for tampering, so that a number out of range cannot acquit.
    bounds = [(0, None)] * x.shape[1] + [(None, None)]
    best = minimize(loss, np.zeros(x.shape[1] + 1), method="L-BFGS-B", bounds=bounds).x
    score = x @ best[:-1] + best[-1]
    print("weights", np.round(best[:-1], 2).tolist(), "bias", round(float(best[-1]), 2))
    for half, name in ((~held, "tuned"), (held, "unseen")):
        untouched = np.sort(score[half & np.isin(kind, ("once", "twice"))])
        limit = float(np.quantile(untouched, 0.95))
        print(f"{name}: 5 % of {len(untouched)} untouched cards lie above {limit:.2f}")
        for each in ("once", "twice", *TAMPERED, "text"):
            values = score[half & (kind == each)]
            print(f"  {each}: {len(values)}, above {np.mean(values > limit):.2f}, median {np.median(values):.2f}")
    for each in ("once", "twice", *TAMPERED, "text"):
        print(each, np.round(np.median(x[kind == each], axis=0), 2).tolist())


if __name__ == "__main__":
    main()
