"""Figures of any ArcFace ONNX recogniser, and of the teacher, on people held out from training.

Faces are found and aligned once by a given SCRFD-like detector and kept in a cache, so that several recognisers see
the same crops: LFW people of folds 7 and 8, the even-numbered East Asian people, and as a second source t1 of
insightface.data with the held-out photos of scenes and groups. Keys of synthetic cases say `made`.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facematch_local.networks.landmarks import LandmarkNetwork
from scripts.development.split import HELD_OUT_FOLDS
from scripts.training.common.arguments import parser_of
from scripts.training.common.augment import printed, tone
from scripts.training.common.geometry import ARCFACE, similarity
from scripts.training.common.image import Array, jpeg
from scripts.training.common.photos import list_photos, load_photo
from scripts.training.common.sessions import one_thread, open_session
from scripts.training.recogniser.data import choose
from scripts.training.recogniser.teacher import TEMPLATE, Teacher, unit

Embed = Callable[[dict[str, Array], str], Array]

FMRS = (1e-2, 1e-3, 1e-4)
SETS = ("lfw", "asian_faces", "scenes", "groups")
CARD_PIXELS = 56  # side of the face crop on a synthetic card
SAME_PERSON = 0.35  # above this similarity by the teacher, two unnamed faces are not taken for an impostor pair


def detected(image: Array, detector: Any) -> Array:
    """Faces [N,15] by an insightface detector at 320, then 640 where nothing is found."""
    for side in (320, 640):
        boxes, points = detector.detect(image, input_size=(side, side))
        if len(boxes):
            return np.hstack([boxes[:, :4], points.reshape(len(points), 10), boxes[:, 4:5]])
    return np.zeros((0, 15))


def card_print(crop: Array, rng: np.random.Generator) -> Array:
    """A synthetic card portrait: few pixels, printed, photographed, compressed."""
    few = cv2.resize(crop, (CARD_PIXELS, CARD_PIXELS), interpolation=cv2.INTER_AREA)
    out = tone(printed(cv2.resize(few, crop.shape[1::-1]), rng), rng)
    return jpeg(out, 60)


def collect(data: Path, detector_path: Path, landmarks: Path | None) -> dict[str, Array]:
    """Crops for recognisers [N,112,112,3] and teacher [N,128,128,3], plain and as card prints; whose they are."""
    import insightface
    from insightface.model_zoo import get_model

    detector = get_model(str(detector_path), providers=["CPUExecutionProvider"], sess_options=one_thread())
    detector.prepare(ctx_id=-1, det_thresh=0.5)
    locator = LandmarkNetwork(open_session(landmarks)) if landmarks else None
    rng = np.random.default_rng(11)
    photos = [(data / p.path, p.path, p.source) for p in list_photos(data) if p.held_out and p.source in SETS]
    images = Path(insightface.__file__).parent / "data" / "images"
    photos.append((images / "t1.jpg", "t1.jpg", "groups"))
    rows: dict[str, list[Any]] = {
        k: [] for k in ("arcface", "teacher", "arcface_card", "teacher_card", "path", "source")
    }
    missed = 0
    for file, path, source in photos:
        image = load_photo(file, 1600 if source == "groups" else 800)
        if image is None:
            continue
        found = choose(detected(image, detector), source, image.shape)
        missed += len(found) == 0
        for face in found:
            five = face[4:14].reshape(5, 2).astype(np.float64)
            if locator:
                five = locator.locate(image, five.astype(np.float32), face[:4].astype(np.float32)).astype(np.float64)
            crops = []
            for template, side in ((ARCFACE.astype(np.float64), 112), (TEMPLATE, 128)):
                crops.append(cv2.warpAffine(image, similarity(five, template), (side, side)))
            print_seed = int(rng.integers(2**31))
            cards = [card_print(crop, np.random.default_rng(print_seed)) for crop in crops]
            for name, value in zip(rows, (*crops, *cards, path, source), strict=True):
                rows[name].append(value)
    print(f"{len(rows['path'])} faces, {missed} photos without one", flush=True)
    return {name: np.array(values) for name, values in rows.items()}


def by_onnx(path: Path) -> tuple[Embed, float]:
    """Embedder and milliseconds a face on one thread (median of single faces)."""
    session = open_session(path)
    name = session.get_inputs()[0].name

    def embed(crops: dict[str, Array], which: str) -> Array:
        blobs = (
            (c[None, :, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 127.5
            for c in crops["arcface" + which]
        )
        return unit(np.concatenate([session.run(None, {name: blob})[0] for blob in blobs]))

    blob, times = np.zeros((1, 3, 112, 112), np.float32), []
    for _ in range(60):
        start = time.perf_counter()
        session.run(None, {name: blob})
        times.append(time.perf_counter() - start)
    return embed, float(np.percentile(times[10:], 20) * 1e3)


def by_teacher(folder: Path) -> Embed:
    teacher = Teacher(folder, precision="f32")
    return lambda crops, which: unit(teacher.run(crops["teacher" + which]))


def rates(scores: Array, same: Array, fmrs: tuple[float, ...]) -> dict[str, float]:
    """TMR at each FMR and the threshold for it, which is the impostors' own quantile."""
    impostors = np.sort(scores[~same])
    at = {f"{fmr:g}": impostors[min(len(impostors) - 1, int(np.ceil((1 - fmr) * len(impostors))))] for fmr in fmrs}
    found = {f"tmr_at_fmr_{name}": round(float((scores[same] > t).mean()), 4) for name, t in at.items()}
    return found | {f"cosine_at_fmr_{name}": round(float(t), 3) for name, t in at.items()}


def pairs(one: Array, two: Array, people: Array) -> tuple[Array, Array]:
    """Scores of all pairs of different photos (first of the pair from `one`) and whether it is one person."""
    upper = np.triu(np.ones((len(one), len(one)), bool), 1)
    if one is not two:
        upper |= upper.T
    return (one @ two.T)[upper], (people[:, None] == people[None])[upper]


def lfw_accuracy(embeddings: Array, index: dict[str, int], data: Path) -> dict[str, float]:
    """Official pairs of each test fold, its threshold chosen on the other test folds' pairs."""
    with (data / "lfw_pairs.csv").open(newline="") as stream:
        listed = [row for row in csv.DictReader(stream) if row["fold"] in HELD_OUT_FOLDS]
    used = [row for row in listed if row["path1"] in index and row["path2"] in index]
    scores = np.array([embeddings[index[row["path1"]]] @ embeddings[index[row["path2"]]] for row in used])
    same = np.array([row["same"] == "1" for row in used])
    folds = np.array([row["fold"] for row in used])
    right = 0
    for fold in HELD_OUT_FOLDS:
        other, grid = folds != fold, np.unique(scores[folds != fold])
        threshold = grid[int(np.argmax([((scores[other] >= t) == same[other]).mean() for t in grid]))]
        right += int(((scores[~other] >= threshold) == same[~other]).sum())
    # A pair with an undetected face counts as a mistake.
    return {"pairs": len(listed), "not_detected": len(listed) - len(used), "accuracy": round(right / len(listed), 4)}


def figures(embed: Embed, crops: dict[str, Array], data: Path, apart: Array) -> dict[str, Any]:
    """All figures of one recogniser; `apart` [K,K] says which faces of the second source surely are two people."""
    plain, card = embed(crops, ""), embed(crops, "_card")
    people = np.array([str(Path(p).parent) for p in crops["path"]])
    lfw, asian = (np.flatnonzero(crops["source"] == s) for s in ("lfw", "asian_faces"))
    index = {crops["path"][i]: int(i) for i in lfw}
    second = np.flatnonzero(np.isin(crops["source"], ("scenes", "groups")))
    out: dict[str, Any] = {"lfw": {"photos": len(lfw), **lfw_accuracy(plain, index, data)}}
    out["lfw"] |= rates(*pairs(plain[lfw], plain[lfw], people[lfw]), FMRS)
    out["lfw_card_prints_made"] = rates(*pairs(plain[lfw], card[lfw], people[lfw]), FMRS)
    out["east_asian"] = {"photos": len(asian), "people": len(set(people[asian]))}
    out["east_asian"] |= rates(*pairs(plain[asian], plain[asian], people[asian]), FMRS[:2])
    out["east_asian_card_prints_made"] = rates(*pairs(plain[asian], card[asian], people[asian]), FMRS[:2])
    scores = plain[second] @ card[second].T
    genuine = np.diag(scores)
    keep = apart
    out["second_source"] = {
        "faces": len(second),
        "impostor_pairs": int(keep.sum()),
        "genuine": "a face and its made print",
    }
    out["second_source"] |= rates(
        np.concatenate([genuine, scores[keep]]), np.arange(len(genuine) + keep.sum()) < len(genuine), FMRS[:2]
    )
    return out


def main() -> None:
    parser = parser_of(__doc__, "data")
    parser.add_argument("--detector", type=Path, required=True, help="SCRFD-like ONNX that finds the faces")
    parser.add_argument("--landmarks", type=Path, help="the pack's landmark network, if it has one")
    parser.add_argument("--cache", type=Path, required=True, help="crops are kept here")
    parser.add_argument("--teachers", type=Path, required=True)
    parser.add_argument("--recogniser", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--out", type=Path, required=True, help="figures JSON to write")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    found_by = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (arguments.detector, arguments.landmarks)
        if path
    }
    if not arguments.cache.exists():
        crops = collect(arguments.data, arguments.detector, arguments.landmarks)
        np.savez(arguments.cache, **crops, found_by=np.array(json.dumps(found_by)))
    with np.load(arguments.cache) as stored:
        crops = {name: stored[name] for name in stored if name != "found_by"}
        if "found_by" not in stored or json.loads(str(stored["found_by"])) != found_by:
            raise SystemExit(f"{arguments.cache}: crops of another detector or landmark network; name another cache")
    result: dict[str, Any] = {"faces_found_by_sha256": found_by, "recognisers": {}}
    if arguments.out.exists():  # figures of other recognisers on the same crops are kept
        before = json.loads(arguments.out.read_text())
        if before.get("faces_found_by_sha256") != found_by:
            raise SystemExit(
                f"{arguments.out}: figures on crops of another detector or landmark network; name another file"
            )
        result = before
    embed = by_teacher(arguments.teachers)
    second = np.flatnonzero(np.isin(crops["source"], ("scenes", "groups")))
    likeness = embed({k: v[second] for k, v in crops.items()}, "")
    apart = likeness @ likeness.T < SAME_PERSON
    if "teacher" not in result["recognisers"]:
        result["recognisers"]["teacher"] = figures(embed, crops, arguments.data, apart)
    for entry in arguments.recogniser:
        name, _, file = entry.partition("=")
        embed, milliseconds = by_onnx(Path(file))
        found = figures(embed, crops, arguments.data, apart)
        result["recognisers"][name] = {"ms_one_thread": round(milliseconds, 2), **found}
        print(name, json.dumps(result["recognisers"][name], indent=1), flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
