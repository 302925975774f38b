"""Compute a built-in calibration curve from the labelled photos, and evaluate it on people left out of it.

    python -m scripts.calibrate_builtin --data ../shared/data --pack ../shared/models/buffalo_sc \
        --out facematch_local/calibrations/buffalo_sc.json --report buffalo_sc.json
    python -m scripts.calibrate_builtin --data ../shared/data --pack models/compact --held-out \
        --out models/compact/calibration.json --report compact.json

The data folder holds `lfw/<person>/`, `asian_faces/<person>/`, `east_asian_people/` with one photo of each person, and
`lfw_pairs.csv`. `--held-out` restricts the data to people that the recogniser of `compact` was not trained on
(`scripts.development.split`): non-mated scores of people seen in training are too low, and a curve from them would
promise too much.

The curve is computed from all these people. Its effect on others is estimated by leaving people out:

- halves: computed from one half of the people (by a hash of the name), evaluated on the other, and vice versa;
- two out: for every two people of the hard group, computed without them, evaluated between them; all added up.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facematch_local.calibration import Calibration, as_calibration
from facematch_local.cpu import available_cpus
from facematch_local.evaluation.verification import calibrate
from facematch_local.evaluation.verification.data import as_data
from facematch_local.evaluation.verification.dataset import Dataset
from facematch_local.evaluation.verification.embed import Embeddings, embed_photos
from facematch_local.evaluation.verification.evaluate import Evaluation, evaluate
from facematch_local.evaluation.verification.pairs import in_group, pair_scores
from facematch_local.evaluation.verification.scope import MARKS, mark_threshold
from facematch_local.packs import LoadedPack, find_pack, load_pack, sha256_of
from scripts.development.split import held_out as is_held_out
from scripts.development.split import held_out_people

HARD_GROUP = "east_asian"
# The sources of `asian_faces`, distinguished by the size of their photos; pairs within one source are the hardest.
STYLES = {160: "160px", 150: "150px"}
ARRAYS = ("matrix", "usable", "unreadable", "content")
ONE_PHOTO_EACH = "east_asian_people"
SEVERAL_PHOTOS = "eleven"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pack", required=True)
    parser.add_argument("--held-out", action="store_true", help="only people that compact was not trained on")
    parser.add_argument("--out", type=Path, required=True, help="calibration file to write")
    parser.add_argument("--report", type=Path, help="write all figures to this JSON file")
    parser.add_argument("--cache", type=Path, help="keep embeddings in this folder")
    parser.add_argument("--replicates", type=int, default=400)
    options = parser.parse_args()

    pack = load_pack(find_pack(options.pack))
    dataset = list_people(options.data, options.held_out)
    embeddings = embedded(pack, dataset, options.cache)
    print(f"{len(dataset.photos)} photos, FTA {embeddings.failure_to_acquire:.4f}", flush=True)

    today = datetime.now(UTC).date().isoformat()
    everyone = np.ones(len(dataset.photos), bool)

    def measured(chosen: NDArray[np.bool_], curve: Calibration, replicates: int) -> dict[str, Any]:
        return as_data(evaluated(dataset, embeddings, chosen, curve, replicates), pack, today)

    data = measured(everyone, pack.calibration, options.replicates)
    content = calibrate.fit(data, date=today)
    curve = as_calibration(content)
    show_anchors(content)
    options.out.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    print(f"wrote {options.out}; now evaluating on people left out", flush=True)
    figures: dict[str, Any] = {"calibration": {key: content[key] for key in ("id", "anchors", "data")}}
    figures["on the people it was computed from"] = summary(measured(everyone, curve, 100))
    figures["halves"] = halves(dataset, measured, options.replicates)
    figures["two out"] = two_out(dataset, embeddings, data, measured)
    figures["lfw pairs"] = listed_pairs(options.data, dataset, embeddings, curve)
    print(json.dumps({key: figures[key] for key in figures if key != "calibration"}, indent=1))
    if options.report:
        options.report.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def list_people(data: Path, held_out: bool) -> Dataset:
    """The photos of `lfw` (no group), `asian_faces` and `east_asian_people` (the hard group, by source)."""
    from PIL import Image

    files = sorted([*data.glob("lfw/*/*.jpg"), *data.glob("asian_faces/*/*"), *data.glob(f"{ONE_PHOTO_EACH}/*")])
    if held_out:
        people_out = held_out_people(data / "lfw_pairs.csv")
        # No training used the people with one photo each.
        files = [
            file
            for file in files
            if file.parent.name == ONE_PHOTO_EACH or is_held_out(file.relative_to(data).as_posix(), people_out)
        ]
    groups = []
    for file in files:
        if file.parent.parent.name == "lfw":
            groups.append("")
        elif file.parent.name == ONE_PHOTO_EACH:
            groups.append(f"{HARD_GROUP}/portraits")
        else:
            with Image.open(file) as image:
                style = STYLES.get(image.width if image.width == image.height else 0, "other")
            groups.append(f"{HARD_GROUP}/{SEVERAL_PHOTOS}/{style}")
    # A person's photos may differ in size; the commonest source is the person's.
    people = [person_of(file) for file in files]
    of_person: dict[str, list[str]] = {}
    for person, group in zip(people, groups, strict=True):
        of_person.setdefault(person, []).append(group)
    groups = [max(set(of_person[person]), key=of_person[person].count) for person in people]
    _, subjects = np.unique(np.array(people, dtype=object), return_inverse=True)
    name = "LFW and 798 East Asian public figures" + (", people not trained on" if held_out else "")
    return Dataset(name, files, subjects.astype(np.int32), groups)


def person_of(file: Path) -> str:
    """The person on a photo: the name of the folder, or of the file where every person has one photo."""
    return file.stem if file.parent.name == ONE_PHOTO_EACH else file.parent.name


def embedded(pack: LoadedPack, dataset: Dataset, cache: Path | None) -> Embeddings:
    """Embeddings of the photos, from the cache if it has them for the same weights and photos."""
    key = hashlib.sha256(
        "".join(
            [
                *(
                    sha256_of(pack.pack.files[task].path)
                    for task in ("detection", "recognition", "landmarks", "face_filter")
                    if task in pack.pack.files
                ),
                repr((pack.analyser.settings, pack.analyser.mirror)),
                *map(str, dataset.photos),
            ]
        ).encode()
    ).hexdigest()[:16]
    file = cache / f"{key}.npz" if cache else None
    if file and file.is_file():
        with np.load(file) as held:
            return Embeddings(
                **{name: held[name] for name in ARRAYS},
                reasons=held["reasons"].tolist(),
            )
    embeddings = embed_photos(pack.analyser, dataset.photos, available_cpus())
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, reasons=np.array(embeddings.reasons), **{name: getattr(embeddings, name) for name in ARRAYS})
    return embeddings


def evaluated(
    dataset: Dataset, embeddings: Embeddings, chosen: NDArray[np.bool_], curve: Calibration, replicates: int
) -> Evaluation:
    """An evaluation of some of the photos."""
    at = np.flatnonzero(chosen)
    part = Dataset(dataset.name, [dataset.photos[i] for i in at], dataset.subjects[at], [dataset.groups[i] for i in at])
    rows = replace(
        embeddings,
        reasons=[embeddings.reasons[i] for i in at],
        **{name: getattr(embeddings, name)[at] for name in ARRAYS},
    )
    return evaluate(part, rows, curve, replicates)


def halves(
    dataset: Dataset, measured: Callable[[NDArray[np.bool_], Calibration, int], dict[str, Any]], replicates: int
) -> dict[str, Any]:
    """Computed from one half of the people, evaluated on the other."""
    second = np.array([hashlib.sha256(person_of(path).encode()).digest()[0] % 2 == 1 for path in dataset.photos])
    results: dict[str, Any] = {}
    for name, made_from in (("first to second", ~second), ("second to first", second)):
        try:
            content = calibrate.fit(measured(made_from, _NEUTRAL, replicates), date="2000-01-01")
        except calibrate.CalibrationError as error:
            results[name] = str(error)
            continue
        results[name] = {
            "marks": {anchor["percent"]: anchor["cosine"] for anchor in content["anchors"]},
            "decided_by": {anchor["percent"]: anchor["decided_by"] for anchor in content["anchors"]},
            **summary(measured(~made_from, as_calibration(content), 200)),
        }
    return results


def two_out(
    dataset: Dataset,
    embeddings: Embeddings,
    data: Mapping[str, Any],
    measured: Callable[[NDArray[np.bool_], Calibration, int], dict[str, Any]],
) -> dict[str, Any]:
    """For every two people of the hard group with several photos: marks without them, false matches between them.

    The random pairs are not evaluated again each time: two people are a negligible part of them.
    """
    hard = in_group(dataset.groups, HARD_GROUP) & embeddings.usable
    errors = dict.fromkeys(MARKS, 0)
    worst = dict.fromkeys(MARKS, 0.0)
    pairs = skipped = 0
    several, photos = np.unique(dataset.subjects[hard], return_counts=True)
    for left, right in combinations(several[photos > 1], 2):
        without = hard & ~np.isin(dataset.subjects, [left, right])
        part = measured(without, _NEUTRAL, 100)
        try:
            marks = calibrate.anchors({"overall": data["overall"], "groups": part["groups"]})
        except calibrate.CalibrationError:
            skipped += 1
            continue
        first, second = (np.flatnonzero(hard & (dataset.subjects == person)) for person in (left, right))
        at_first, at_second = (grid.ravel().astype(np.int32) for grid in np.meshgrid(first, second))
        scores = pair_scores(embeddings.matrix, at_first, at_second)
        pairs += len(scores)
        for mark in marks:
            wrong = int((scores >= mark.cosine).sum())
            errors[mark.percent] += wrong
            worst[mark.percent] = max(worst[mark.percent], wrong / len(scores))
    return {
        "pairs of photos": pairs,
        "pairs of people left out for lack of others": skipped,
        "fmr": {percent: count / max(pairs, 1) for percent, count in errors.items()},
        "worst pair of people": worst,
    }


def listed_pairs(data: Path, dataset: Dataset, embeddings: Embeddings, curve: Calibration) -> dict[str, Any]:
    """TMR of the official mated LFW pairs of the photos in the dataset."""
    import csv

    number = {path.relative_to(data).as_posix(): at for at, path in enumerate(dataset.photos)}
    with (data / "lfw_pairs.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["same"] == "1"]
    known = [
        (number[row["path1"]], number[row["path2"]]) for row in rows if {row["path1"], row["path2"]} <= set(number)
    ]
    first, second = np.array(known, np.int32).T
    scores = pair_scores(embeddings.matrix, first, second)
    return {
        "mated pairs": len(scores),
        "tmr": {percent: float((scores >= mark_threshold(curve, percent)).mean()) for percent in MARKS},
        "median percent": curve.percent(float(np.median(scores))),
    }


def summary(data: Mapping[str, Any]) -> dict[str, Any]:
    """FMR, its interval and TMR at the marks, by population."""
    return {
        scope["name"] or "random pairs": {
            "people": scope["people"],
            "non_mated": scope["non_mated"],
            **{
                percent: {key: scope["at_percent"][percent][key] for key in ("fmr", "fmr_interval", "tmr")}
                for percent in ("65", "75")
            },
        }
        for scope in (data["overall"], *data["groups"])
    }


def show_anchors(content: Mapping[str, Any]) -> None:
    """Print the position of each mark and its evidence."""
    for anchor in content["anchors"]:
        print(f"{anchor['percent']} % at {anchor['cosine']} (decided by {anchor['decided_by']})", flush=True)
        for item in anchor["evidence"]:
            print(
                f"   {item['scope'] or 'random pairs'}: FMR {item['fmr']:g} at {item['threshold']:.4f}, "
                f"with interval {item['upper']:.4f} ({item['people']} people, {item['non_mated']} pairs)",
                flush=True,
            )


_NEUTRAL = Calibration("neutral", (0.0, 0.65, 0.75, 1.0), (0.0, 65.0, 75.0, 100.0))


if __name__ == "__main__":
    main()
