"""Measure SCRFD-layout detectors, and YuNet beside them, on photos that were not trained on.

Everything runs through insightface's own `SCRFD.detect`, so what is measured is what runs. A face counts as found where
a detection of score 0.5 or more overlaps the truth by an IoU of 0.4. The truth is where LFW's alignment puts the face,
what the reference detector finds (it serves for measuring only), or, for cases made here, the known place.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from canvas import Array, Canvas, Faces, Photo, face_map
from labels import YuNet, iou, load_photo
from split import NO_CARD_WITH_PEOPLE, list_photos
from synthetic import card, drawn_background, wear

from facematch_local.faces import FaceAnalyser

SCORE, OVERLAP = 0.5, 0.4
ROUGH_OVERLAP = 0.2  # for LFW, whose alignment tells the place of a face but roughly
SEED = 20
Found = tuple[Array, Array]  # boxes with score [N,5], points [N,5,2]
Size = int | tuple[int, int]  # a square's side, or width and height


class Detects(Protocol):
    """Faces of a BGR uint8 photo fitted into `size` pixels."""

    def __call__(self, image: Array, size: Size, /) -> Found: ...


@dataclass(frozen=True)
class Share:
    """So many of so many, with Wilson's 95 % interval."""

    hits: int
    of: int

    def report(self) -> dict[str, Any]:
        """For the figures file; shares in per cent."""
        if not self.of:
            return {"of": 0}
        z, p, n = 1.96, self.hits / self.of, self.of
        middle, reach = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = ((middle + side * reach) / (1 + z * z / n) for side in (-1, 1))
        percent = [round(100 * share, 2) for share in (p, max(low, 0.0), min(high, 1.0))]
        return {"found": self.hits, "of": self.of, "percent": percent[0], "interval_95": percent[1:]}


@dataclass(frozen=True)
class Case:
    """A photo with the boxes [N,4] that ought to be found in it."""

    image: Array
    wanted: Array


def scrfd(path: Path) -> Detects:
    """An ONNX file in SCRFD layout, opened as insightface opens it, on one CPU thread."""
    import onnxruntime as ort
    from insightface.model_zoo.scrfd import SCRFD

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    detector = SCRFD(str(path), session=session)
    if not detector.use_kps:
        raise ValueError(f"{path}: no landmarks")

    def detect(image: Array, size: Size) -> Found:
        boxes, points = detector.detect(image, input_size=_frame(size), det_thresh=SCORE)
        return boxes, points

    return detect


def yunet(path: Path) -> Detects:
    """The teacher, given the same resized and padded picture."""
    net = YuNet(path, SCORE)

    def detect(image: Array, size: Size) -> Found:
        width, height = _frame(size)
        scale = min(width / image.shape[1], height / image.shape[0])
        frame = np.zeros((height, width, 3), np.uint8)
        small = cv2.resize(image, (max(1, int(image.shape[1] * scale)), max(1, int(image.shape[0] * scale))))
        frame[: small.shape[0], : small.shape[1]] = small
        rows = net(frame)
        return np.column_stack([rows[:, :4] / scale, rows[:, 14]]), rows[:, 4:14].reshape(-1, 5, 2) / scale

    return detect


def _frame(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def remembered(detect: Detects, file: Path) -> Detects:
    """The same detector, its answers kept in a JSON file: the truth need not be found anew for every candidate."""
    answers: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

    def found(image: Array, size: Size) -> Found:
        key = f"{hashlib.blake2b(image.tobytes(), digest_size=12).hexdigest()}-{size}"
        if key not in answers:
            boxes, points = detect(image, size)
            answers[key] = [boxes.tolist(), points.tolist()]
            if len(answers) % 50 == 0:
                file.write_text(json.dumps(answers))
        boxes, points = answers[key]
        return np.array(boxes, float).reshape(-1, 5), np.array(points, float).reshape(-1, 5, 2)

    return found


def truth(reference: Detects, image: Array) -> Found:
    """The reference's faces, found with a margin around the photo: it would miss faces that fill the frame."""
    margin = max(image.shape[:2]) // 3
    framed = cv2.copyMakeBorder(image, *(margin,) * 4, cv2.BORDER_CONSTANT, value=(127, 127, 127))
    boxes, points = reference(framed, 640)
    return boxes - np.array([*(margin,) * 4, 0]), points - margin


def recall(detect: Detects, cases: Iterable[Case], size: int, overlap: float = OVERLAP) -> Share:
    """Share of the wanted faces found, each detection counting once."""
    hits = total = 0
    for case in cases:
        boxes = detect(case.image, size)[0].copy()
        total += len(case.wanted)
        for box in case.wanted:
            overlaps = iou(box, boxes[:, :4]) if len(boxes) else np.zeros(0)
            if len(overlaps) and overlaps.max() > overlap:
                hits += 1
                boxes = np.delete(boxes, overlaps.argmax(), axis=0)
    return Share(hits, total)


def false_faces(detect: Detects, images: Iterable[Array], size: int) -> dict[str, Any]:
    """Detections on photos without people, per 100 photos."""
    scores = [float(score) for image in images for score in detect(image, size)[0][:, 4]]
    count = sum(1 for _ in images)
    worst = sorted((round(score, 3) for score in scores), reverse=True)[:5]
    return {
        "false_faces": len(scores),
        "photos": count,
        "per_100_photos": round(100 * len(scores) / count, 2),
        "scores": worst,
    }


def landmark_error(detect: Detects, reference: Detects, images: Iterable[Array], size: int) -> dict[str, Any]:
    """Mean point distance over the reference's eye distance, on its faces that lean by at most 20 degrees."""
    errors, per_point = [], []
    for image in images:
        true_boxes, true_points = truth(reference, image)
        boxes, points = detect(image, size)
        for box, want in zip(true_boxes, true_points, strict=True):
            across = want[1] - want[0]
            if not len(boxes) or abs(math.degrees(math.atan2(across[1], across[0]))) > 20 or box[4] < 0.6:
                continue
            overlaps = iou(box[:4], boxes[:, :4])
            if overlaps.max() < 0.5:
                continue
            distance = np.linalg.norm(points[overlaps.argmax()] - want, axis=1) / np.linalg.norm(across)
            errors.append(float(distance.mean()))
            per_point.append(distance)
    names = ("left eye", "right eye", "nose", "left mouth", "right mouth")
    return {
        "faces": len(errors),
        "nme_percent": round(100 * statistics.fmean(errors), 2),
        "median_percent": round(100 * statistics.median(errors), 2),
        "by_point_percent": {
            name: round(float(100 * value), 2) for name, value in zip(names, np.mean(per_point, axis=0), strict=True)
        },
    }


def milliseconds(path: Path, size: int, rounds: int = 25) -> float:
    """Median time of one run of the network alone, one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    blob = np.random.default_rng(0).standard_normal((1, 3, size, size)).astype(np.float32)
    times = []
    for _ in range(rounds):
        start = time.process_time()  # CPU time: the machine may be shared
        session.run(None, {session.get_inputs()[0].name: blob})
        times.append(time.process_time() - start)
    return round(1000 * statistics.median(times[5:]), 2)


def lfw_face(image: Array) -> Array:
    """Where deep funnelling puts the face of a 180 x 180 photo: box [1,4]."""
    height, width = image.shape[:2]
    return np.array([[0.29 * width, 0.26 * height, 0.71 * width, 0.77 * height]])


def turned(degrees: float) -> Callable[[Photo, np.random.Generator], Case]:
    """The photo's first face turned, on a grey square."""

    def change(photo: Photo, _: np.random.Generator) -> Case:
        canvas = Canvas(np.full((360, 360, 3), 127, np.uint8))
        canvas.paste(photo, face_map(photo, 0, 120, (180, 180), math.radians(degrees), False))
        return Case(canvas.pixels, canvas.faces.boxes[:1])

    return change


def close_up(photo: Photo, rng: np.random.Generator) -> Case:
    """Cropped so that the face fills or overfills the frame: nothing but 100 to 115 % of its box is left."""
    low, high = photo.faces.boxes[0][:2], photo.faces.boxes[0][2:]
    grow = rng.uniform(0.0, 0.075) * (high - low)
    limit = np.array(photo.pixels.shape[1::-1])
    low, high = np.clip(low - grow, 0, limit).astype(int), np.clip(high + grow, 0, limit).astype(int)
    cut = np.ascontiguousarray(photo.pixels[low[1] : high[1], low[0] : high[0]])
    return Case(cut, photo.faces.boxes[:1] - np.tile(low, 2))


def worn(kind: str) -> Callable[[Photo, np.random.Generator], Case]:
    """The photo with something drawn on its first face."""

    def change(photo: Photo, rng: np.random.Generator) -> Case:
        pixels = photo.pixels.copy()
        wear(rng, pixels, photo.faces, 0, kind)
        return Case(pixels, photo.faces.boxes[:1])

    return change


def dark(photo: Photo, rng: np.random.Generator) -> Case:
    """A fifth of the light and sensor noise."""
    pixels = photo.pixels * 0.2 + rng.normal(0, 4, photo.pixels.shape)
    return Case(np.clip(pixels, 0, 255).astype(np.uint8), photo.faces.boxes[:1])


def blurred(photo: Photo, _: np.random.Generator) -> Case:
    """Gaussian blur of 3 % of the photo's width."""
    return Case(cv2.GaussianBlur(photo.pixels, (0, 0), 0.03 * photo.pixels.shape[1]), photo.faces.boxes[:1])


def grey(photo: Photo, _: np.random.Generator) -> Case:
    """A copier's grey: no colour, steep contrast."""
    curve = (255 / (1 + np.exp(-(np.arange(256) - 120) / 25))).astype(np.uint8)
    copy = cv2.LUT(cv2.cvtColor(photo.pixels, cv2.COLOR_BGR2GRAY), curve)
    return Case(cv2.cvtColor(copy, cv2.COLOR_GRAY2BGR), photo.faces.boxes[:1])


def on_card(photo: Photo, rng: np.random.Generator) -> Case:
    """A drawn card with the portrait (and sometimes a ghost, not counted) on a drawn table, 1280 x 960."""
    drawn = card(rng, photo, 0)
    canvas = Canvas(drawn_background(rng, 1280, 960))
    height, width = drawn.pixels.shape[:2]
    scale, angle = rng.uniform(600, 1100) / width, math.radians(rng.normal(0, 6))
    linear = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shift = np.array([640, 480]) - linear @ [width / 2, height / 2]
    canvas.paste(drawn, np.hstack([linear, shift[:, None]]), feather=1)
    largest = np.argsort(-canvas.faces.sizes)[:1]
    return Case(canvas.pixels, canvas.faces.boxes[largest])


def crowd(photos: list[Photo], rng: np.random.Generator, side: int = 640) -> Case:
    """A made group photo: faces of 32 to 60 pixels in a grid."""
    canvas = Canvas(drawn_background(rng, side, side))
    cell = 128
    wanted = []
    for row in range(side // cell):
        for column in range(side // cell):
            photo = photos[rng.integers(len(photos))]
            at = (column * cell + cell / 2, row * cell + cell / 2)
            matrix = face_map(photo, 0, rng.uniform(32, 60), at, rng.normal(0, 0.15), False)
            canvas.paste(photo, matrix, None if rng.random() < 0.3 else _bust(photo))
            wanted.append(photo.faces.moved(matrix).boxes[0])
    return Case(canvas.pixels, np.array(wanted))


def _bust(photo: Photo) -> Array:
    x0, y0, x1, y1 = photo.faces.boxes[0]
    w, h = x1 - x0, y1 - y0
    return np.array(
        [[x0 - w / 3, y0 - h / 2], [x1 + w / 3, y0 - h / 2], [x1 + w / 2, y1 + h / 3], [x0 - w / 2, y1 + h / 3]]
    )


class Held:
    """The held-out half, read and given its truth set by set when first asked for.

    `lfw` bounds the photos of LFW, `limit` those of any other set, `few` those that cases are made from.
    """

    def __init__(self, data: Path, reference: Detects, lfw: int, limit: int, few: int) -> None:
        self._data, self._reference, self._lfw, self._limit, self._few = data, reference, lfw, limit, few
        self._photos = [photo for photo in list_photos(data) if photo.held_out]

    def _read(self, source: str, limit: int) -> list[tuple[str, Array]]:
        of_set = [photo for photo in self._photos if photo.source == source]
        chosen = np.random.default_rng(SEED).permutation(len(of_set))[:limit]
        read = ((of_set[i].path, load_photo(self._data / of_set[i].path, 1280)) for i in sorted(chosen))
        return [(path, image) for path, image in read if image is not None]

    @cached_property
    def lfw(self) -> list[Case]:
        """LFW photos; the truth is where the alignment puts the face."""
        return [Case(image, lfw_face(image)) for _, image in self._read("lfw", self._lfw)]

    @cached_property
    def blank(self) -> list[Array]:
        """Every second held-out `no_card` photo without people; `export.py` has its score shifts from the others."""
        photos = [i for path, i in self._read("no_card", 10_000) if Path(path).stem not in NO_CARD_WITH_PEOPLE]
        return photos[1::2]

    @cached_property
    def labelled(self) -> list[Photo]:
        """LFW photos with their main face labelled by the reference: what cases are made from."""
        photos = []
        for case in self.lfw[: self._few]:
            boxes, points = truth(self._reference, case.image)
            if len(boxes) and (overlaps := iou(case.wanted[0], boxes[:, :4])).max() > ROUGH_OVERLAP:
                main = [int(overlaps.argmax())]
                faces = Faces(boxes[main, :4].astype(float), points[main].astype(float), np.zeros(1, bool))
                photos.append(Photo(case.image, faces))
        return photos

    @cache  # noqa: B019 - one object per run
    def of(self, source: str) -> list[Case]:
        """A set with the reference's faces of 32 pixels or more once the photo is fitted into 640."""
        cases = []
        for _, image in self._read(source, self._limit):
            crowded = source in ("groups", "photocopies", "cards")
            boxes = (self._reference(image, 640) if crowded else truth(self._reference, image))[0]
            scale = max(image.shape[:2]) / 640
            sides = np.sqrt(np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1))
            cases.append(Case(image, boxes[(sides >= 32 * scale) & (boxes[:, 4] > 0.6), :4]))
        return cases

    def main_face(self, source: str) -> list[Case]:
        """The same with the largest face only."""
        return [Case(case.image, _largest(case.wanted)) for case in self.of(source)]


def as_library(analyser: FaceAnalyser) -> Detects:
    """Its `find` as a detector: the library's sizes and retries; the size asked for is not used."""

    def found(image: Array, _: Size) -> Found:
        faces = analyser.find(image)
        boxes = np.array([[*face.box, face.score] for face in faces], float).reshape(-1, 5)
        return boxes, np.array([face.landmarks for face in faces]).reshape(-1, 5, 2)

    return found


def through_analyser(detect: Detects) -> Detects:
    """Detection as the library does it with a pack that has no confirmation head."""

    class Adapter:
        def detect(self, img: Array, input_size: Size = 640, det_thresh: float = SCORE, **_: Any) -> Found:
            boxes, points = detect(img, input_size)
            sure = boxes[:, 4] >= det_thresh
            return boxes[sure], points[sure]

    return as_library(FaceAnalyser(Adapter(), recogniser=None))  # type: ignore[arg-type]


def measures(detect: Detects, reference: Detects, held: Held) -> dict[str, Callable[[], dict[str, Any]]]:
    """What to measure of one detector, the figures that matter most first."""
    library = through_analyser(detect)

    def made(change: Callable[[Photo, np.random.Generator], Case], by: Detects = detect, size: int = 320) -> Any:
        rng = np.random.default_rng(SEED)
        return recall(by, [change(photo, rng) for photo in held.labelled], size).report()

    def crowds() -> list[Case]:
        rng = np.random.default_rng(SEED)
        return [crowd(held.labelled, rng) for _ in range(6)]

    out: dict[str, Callable[[], dict[str, Any]]] = {
        "false_faces_no_card_640": lambda: false_faces(detect, held.blank, 640),
        "false_faces_no_card_320": lambda: false_faces(detect, held.blank, 320),
        "lfw_320": lambda: recall(detect, held.lfw, 320, ROUGH_OVERLAP).report(),
        "landmarks_lfw_320": lambda: landmark_error(detect, reference, [p.pixels for p in held.labelled], 320),
        "groups_640": lambda: recall(detect, held.of("groups"), 640).report(),
        "made_crowd_32_to_60_px_640": lambda: recall(detect, crowds(), 640).report(),
        "photocopies_640": lambda: recall(detect, held.of("photocopies"), 640).report(),
        "cards_640": lambda: recall(detect, held.of("cards"), 640).report(),
        "made_card_portraits_640": lambda: made(on_card, size=640),
        "made_close_up_320": lambda: made(close_up),
        "made_close_up_as_in_library": lambda: made(close_up, library),
    }
    for source in ("asian_faces", "sunglasses", "masks", "scenes"):
        out[f"{source}_main_face_320"] = lambda s=source: recall(detect, held.main_face(s), 320).report()
        out[f"{source}_main_face_640"] = lambda s=source: recall(detect, held.main_face(s), 640).report()
        out[f"{source}_main_face_as_in_library"] = lambda s=source: recall(library, held.main_face(s), 640).report()
    out["landmarks_asian_faces_320"] = lambda: landmark_error(
        detect, reference, [case.image for case in held.of("asian_faces")], 320
    )
    for name, change in (("dark", dark), ("blurred", blurred), ("grey_copy", grey)):
        out[f"made_{name}_320"] = lambda c=change: made(c)
    for degrees in (-45, -30, 30, 45, 90, 180):
        out[f"made_turned_{degrees}_320"] = lambda d=degrees: made(turned(d))
    for kind in ("mask", "sunglasses", "glasses", "hat"):
        out[f"made_{kind}_320"] = lambda k=kind: made(worn(k))
    out["false_faces_no_card_as_in_library"] = lambda: false_faces(library, held.blank, 640)
    return out


def _largest(boxes: Array) -> Array:
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return boxes[np.argsort(-areas)[:1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", action="append", default=[], help="NAME=FILE of an ONNX file in SCRFD layout")
    parser.add_argument("--yunet", type=Path, help="YuNet ONNX file, measured as `yunet`")
    parser.add_argument(
        "--reference", type=Path, required=True, help="SCRFD-2.5G with points: the truth, never a teacher"
    )
    parser.add_argument("--truth", type=Path, help="file that keeps the reference's answers between runs")
    parser.add_argument("--lfw", type=int, default=10_000, help="LFW photos at most")
    parser.add_argument("--limit", type=int, default=10_000, help="photos of any other set at most")
    parser.add_argument("--few", type=int, default=300, help="photos per made case")
    parser.add_argument("--out", type=Path, help="figures as JSON")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    reference = scrfd(arguments.reference)
    if arguments.truth:
        reference = remembered(reference, arguments.truth)
    held = Held(arguments.data, reference, arguments.lfw, arguments.limit, arguments.few)
    files = {name: Path(file) for name, _, file in (pair.partition("=") for pair in arguments.model)}
    detectors = {name: scrfd(file) for name, file in files.items()}
    if arguments.yunet:
        detectors["yunet"] = yunet(arguments.yunet)
    report: dict[str, Any] = json.loads(arguments.out.read_text()) if arguments.out and arguments.out.exists() else {}
    report |= {
        name: {"milliseconds_one_thread": {str(size): milliseconds(file, size) for size in (320, 640)}}
        for name, file in files.items()
    }
    for name, detect in detectors.items():
        figures = report.setdefault(name, {})
        for case, measure in measures(detect, reference, held).items():
            figures[case] = measure()
            print(name, case, json.dumps(figures[case]), flush=True)
            if arguments.out:  # after each: the figures of an evaluation cut short are still worth having
                arguments.out.write_text(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
