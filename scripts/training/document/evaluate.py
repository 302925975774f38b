"""Figures of the document network on the half not trained on: documents found, and where they lie.

    python -m scripts.training.document.evaluate --data DATA

The pack finds the faces. `facematch_local.synthetic` draws the synthetic cases, other code than the one that drew
the documents for the training. The
outlines of print and edges on the same photos stand beside those of the network.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facematch_local import synthetic
from facematch_local.checks.check import Role
from facematch_local.checks.document import document as measure
from facematch_local.checks.examination import Examination
from facematch_local.imaging.decode import decode
from facematch_local.imaging.photo import Photo, Pixels
from facematch_local.packs import load_pack, read_pack
from facematch_local.policy import Limit, load_policy
from scripts.development.split import held_out, held_out_people
from scripts.training.common.arguments import add_pack, add_tuned, parser_of
from scripts.training.common.sets import portraits_and_grounds

SETS = ("photocopies", "cards", "no_card", "asian_faces", "masks", "sunglasses", "scenes", "groups", "lfw")
DOCUMENTS = ("photocopies", "cards")
SEED = 11
QUANTILES = (0.02, 0.05, 0.5, 0.95, 0.98)

Case = tuple[str, bool, Pixels, np.ndarray[Any, Any] | None]


def real(data: Path, limit: int, unseen: bool) -> Iterator[Case]:
    """Set, whether a document is shown, photo; at most `limit` of a set, evenly spaced."""
    people = held_out_people(data / "lfw_pairs.csv")
    for source in SETS:
        files = [f for f in sorted((data / source).rglob("*")) if f.is_file()]
        files = [f for f in files if held_out(f.relative_to(data).as_posix(), people) is unseen]
        for file in files[:: max(len(files) // limit, 1)][:limit]:
            try:
                pixels = decode(file.read_bytes()).pixels
            except Exception:  # noqa: S112 - scenes hold broken files on purpose
                continue
            yield source, source in DOCUMENTS, pixels, None


def drawn(data: Path, count: int, unseen: bool) -> Iterator[Case]:
    """Synthetic cards: scanned or on a table, with a portrait or without, in colour or copied; with their corners."""
    portraits, grounds = portraits_and_grounds(data, unseen)
    for index in range(count):
        rng = np.random.default_rng((SEED, index))
        portrait = decode(portraits[index * 7 % len(portraits)].read_bytes()).pixels
        ground = synthetic.fitted_to(decode(grounds[index * 5 % len(grounds)].read_bytes()).pixels, 1000)
        for shown in (portrait, None):
            engraved = shown is not None and index % 4 == 1
            card = synthetic.draw_card(shown, rng, 800, passport=index % 3 == 0, engraved=engraved).pixels
            kind = f"made, {'with' if shown is not None else 'without'} a portrait"
            if index % 4 == 0:
                card, kind = synthetic.photocopy(card, rng), f"{kind}, copied"
            elif engraved:
                kind = "made, with a grey portrait"
            yield f"{kind}, scanned", True, synthetic.jpeg(card, 85), None
            photo, corners = synthetic.on_background(card, ground, rng, share=rng.uniform(0.3, 0.85))
            cast = (rng.uniform(0.65, 1.15), rng.uniform(0.8, 1.1), rng.uniform(0.7, 1.15))
            yield (
                f"{kind}, on a table",
                True,
                synthetic.jpeg(synthetic.lit(photo, rng, rng.uniform(0.35, 1.1), cast), 85),
                corners,
            )


def overlap(found: np.ndarray[Any, Any], true: np.ndarray[Any, Any]) -> float:
    """Intersection over union of two convex outlines (4, 2)."""
    shared, _ = cv2.intersectConvexConvex(found.astype(np.float32), true.astype(np.float32))
    return shared / (cv2.contourArea(found.astype(np.float32)) + cv2.contourArea(true.astype(np.float32)) - shared)


def figures_of(values: Sequence[tuple[float, float]], limit: Limit) -> dict[str, Any]:
    """Figures of one kind, ready for JSON.

    Args:
        values: of each photo, the value that code 1 is decided on and the network's own probability.
        limit: of code 1; a document holds it.
    """
    decided, alone = zip(*values, strict=True)
    return {
        "photos": len(values),
        "said_to_be_a_document": sum(bool(limit.holds(value)) for value in decided),
        "by_the_network_alone": sum(bool(limit.holds(value)) for value in alone),
        "network_quantiles": np.quantile(alone, QUANTILES).round(3).tolist(),
    }


def main() -> None:
    parser = parser_of(__doc__, "data")
    add_pack(parser)
    parser.add_argument("--limit", type=int, default=200, help="photos per set")
    parser.add_argument("--made", type=int, default=100, help="synthetic cards of each kind")
    add_tuned(parser)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    loaded = load_pack(read_pack(arguments.pack))
    limit = load_policy().limits[Role.CARD]["document"]
    rows: dict[str, list[tuple[float, float]]] = {}
    overlaps: dict[str, list[tuple[float, float]]] = {}
    documents = set()
    for cases in (
        real(arguments.data, arguments.limit, not arguments.tuned),
        drawn(arguments.data, arguments.made, not arguments.tuned),
    ):
        for kind, document, pixels, corners in cases:
            faces = loaded.analyser.find(pixels)
            examination = Examination(Photo(pixels), Role.CARD, tuple(faces), loaded.networks)
            assert examination.document_scores is not None
            joint = measure(examination).value or 0.0
            rows.setdefault(kind, []).append((joint, examination.document_scores.document))
            if document:
                documents.add(kind)
            if corners is not None:
                found = (examination.document_corners, examination.document.corners)
                overlaps.setdefault(kind, []).append((overlap(found[0], corners), overlap(found[1], corners)))
    result: dict[str, Any] = {}
    for kind, values in rows.items():
        result[kind] = {"document": kind in documents, **figures_of(values, limit)}
        if kind in overlaps:
            outlines = np.array(overlaps[kind])
            result[kind]["overlap_median_network_edges"] = np.median(outlines, axis=0).round(3).tolist()
            result[kind]["overlap_below_0.7_network_edges"] = (outlines < 0.7).sum(axis=0).tolist()
        print(kind, json.dumps(result[kind]), flush=True)
    if not arguments.tuned:
        (arguments.pack / "figures").mkdir(exist_ok=True)
        (arguments.pack / "figures" / "document.json").write_text(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
