"""Add local centring (local_centring.py) to rec.onnx, around means of embeddings of training faces and morphs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from scipy.cluster.vq import kmeans2

from scripts.training.common.arguments import parser_of
from scripts.training.common.augment import alignment, augment
from scripts.training.common.image import Array
from scripts.training.recogniser.batches import cropped, to_input
from scripts.training.recogniser.data import Faces
from scripts.training.recogniser.local_centring import with_centring, without
from scripts.training.recogniser.people import Part, part_of
from scripts.training.recogniser.teacher import unit

MEANS = 128  # any number from 64 to 512 does as well on the people set aside
PER_PERSON, PER_SHARD = 4, 600  # few photos of one person, so that no mean is a person
LEAST = 100  # pictures about a mean


def embeddings(model: onnx.ModelProto, crops: Array) -> Array:
    """Embeddings [N,D] of length 1 of BGR uint8 crops [N,112,112,3]."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    parts = (crops[i : i + 64] for i in range(0, len(crops), 64))
    return unit(np.concatenate([session.run(None, {name: to_input(part).numpy()})[0] for part in parts]))


def neighbourhood(faces: Faces, shards: list[Path], rng: np.random.Generator) -> Array:
    """Crops [N,112,112,3]: every training person's first photos and some morphs, each plain and changed."""
    chosen: list[tuple[Array, Array]] = []
    seen: dict[str, int] = {}
    for row in rng.permutation(np.flatnonzero(part_of(faces) == Part.TRAINING)):
        person = str(faces.person[row])
        seen[person] = seen.get(person, 0) + 1
        if not person or seen[person] <= PER_PERSON:
            chosen.append((faces.crops[row], faces.five[row]))
    for path in shards:
        with np.load(path) as stored:
            crops, five = stored["crops"], stored["five"]
        chosen += [(crops[i], five[i]) for i in rng.permutation(len(five))[:PER_SHARD]]
    plain = [cropped(crop, alignment(five, None)) for crop, five in chosen]
    changed = [augment(cropped(crop, alignment(five, rng)), rng) for crop, five in chosen]
    return np.stack(plain + changed)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--work", type=Path, help="folder with faces.npz and morphs/")
    parser.add_argument("--weights", type=Path, required=True, help="rec.onnx, rewritten in place")
    parser.add_argument("--plain", type=Path, help="write the weights without centring here, for comparison, and stop")
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    model = without(onnx.load(str(arguments.weights)))
    if arguments.plain:
        arguments.plain.write_bytes(model.SerializeToString())
        return
    if not arguments.work:
        parser.error("--work is needed to centre")
    crops = neighbourhood(
        Faces.load(arguments.work / "faces.npz"), sorted((arguments.work / "morphs").glob("*.npz")), rng
    )
    means, nearest = kmeans2(embeddings(model, crops), MEANS, iter=15, minit="points", rng=rng)
    counts = np.bincount(nearest, minlength=MEANS)
    if counts.min() < LEAST:
        raise SystemExit(f"a mean of only {counts.min()} pictures: too few faces and morphs in {arguments.work}")
    print(f"{len(crops)} pictures, {counts.min()} to {counts.max()} about a mean", flush=True)
    arguments.weights.write_bytes(with_centring(model, means, counts).SerializeToString())


if __name__ == "__main__":
    main()
