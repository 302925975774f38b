"""Pseudo-labels from permissively licensed teachers: YuNet boxes and points, averaged with two others' points.

Faces are searched upright and in the three other quarter turns. Boxes and points are means over flips and scales; where
the MediaPipe mesh and Open Model Zoo's landmark network agree with YuNet their five points are averaged in, as three
teachers err less than any of them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
from split import SETS, list_photos

LONG_SIDE = 640
SURE, UNSURE = 0.7, 0.3
FLIP = [1, 0, 2, 4, 3]
Array = np.ndarray[Any, Any]


def load_photo(path: Path, long_side: int = LONG_SIDE) -> Array | None:
    """BGR uint8 [H,W,3], reduced to at most `long_side`; None where OpenCV cannot read the file."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        return None
    scale = long_side / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return image


class YuNet:
    """YuNet through OpenCV; faces as [N,15]: x1,y1,x2,y2, five points x,y, score, in pixels of the given photo."""

    def __init__(self, model: Path, threshold: float = UNSURE) -> None:
        self._net = cv2.FaceDetectorYN.create(str(model), "", (320, 320), threshold, 0.4, 500)

    def __call__(self, image: Array, scale: float = 1.0) -> Array:
        if scale != 1:
            how = cv2.INTER_LINEAR if scale > 1 else cv2.INTER_AREA
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
        self._net.setInputSize((image.shape[1], image.shape[0]))
        found = self._net.detect(image)[1]
        if found is None:
            return np.zeros((0, 15), np.float32)
        found = found.copy()
        found[:, 2:4] += found[:, :2]
        found[:, :14] /= scale
        return found


class Mesh:
    """Five points from the 468-point mesh: eye centres, nose tip, mouth corners, in image pixels."""

    def __init__(self, model: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        shapes = [int(np.prod([d for d in o.shape if isinstance(d, int)])) for o in self._session.get_outputs()]
        self._points = self._session.get_outputs()[int(np.argmax(shapes))].name

    def __call__(self, image: Array, box: Array, points: Array) -> Array:
        angle = np.arctan2(*(points[1] - points[0])[::-1])
        side = 1.5 * max(box[2] - box[0], box[3] - box[1])
        centre = (box[:2] + box[2:4]) / 2
        turn = 192 / side * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        matrix = np.hstack([turn, (96 - turn @ centre)[:, None]])
        crop = cv2.warpAffine(image, matrix, (192, 192), flags=cv2.INTER_LINEAR)
        blob = crop[None, :, :, ::-1].astype(np.float32) / 255
        mesh = self._session.run([self._points], {self._input: blob})[0].reshape(-1, 3)[:468, :2]
        five = np.stack([mesh[[33, 133]].mean(0), mesh[[362, 263]].mean(0), mesh[[1, 4]].mean(0), mesh[61], mesh[291]])
        back = cv2.invertAffineTransform(matrix)
        return five @ back[:, :2].T + back[:, 2]


class FivePoints:
    """Open Model Zoo's landmarks-regression-retail-0009, the mean of three looks at a face, one of them mirrored."""

    SIDE, LOOKS, MIRRORED_LOOK = 48, (1.0, 1.15), 1.1  # pixels; longer sides of the box

    def __init__(self, folder: Path) -> None:
        import openvino

        core = openvino.Core()
        model = core.read_model(folder / "lm5_openvino0009" / "landmarks-regression-retail-0009.xml")
        self._request = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1}).create_infer_request()

    def __call__(self, image: Array, box: Array, roll: float) -> Array:
        """Points [5,2] of the face in `box`, which leans by `roll` radians, in image pixels."""
        return np.mean(
            [self._look(image, box, roll, grow, False) for grow in self.LOOKS]
            + [self._look(image, box, roll, self.MIRRORED_LOOK, True)],
            axis=0,
        )

    def _look(self, image: Array, box: Array, roll: float, grow: float, mirror: bool) -> Array:
        extent = grow * max(box[2] - box[0], box[3] - box[1])
        scale = self.SIDE / extent
        cos, sin = scale * np.cos(roll), scale * np.sin(roll)
        turn = np.array([[cos, sin], [-sin, cos]])
        matrix = np.hstack([turn, (self.SIDE / 2 - turn @ ((box[:2] + box[2:4]) / 2))[:, None]])
        if mirror:
            matrix[0] *= -1
            matrix[0, 2] += self.SIDE
        factor = max(1, int(extent / self.SIDE / 1.5))
        # The warp picks single pixels. `alignment.warp` averages sooner, and this network reads finer crops better.
        if factor > 1:
            rows, columns = image.shape[0] // factor, image.shape[1] // factor
            image = cv2.resize(
                image[: rows * factor, : columns * factor], (columns, rows), interpolation=cv2.INTER_AREA
            )
            # Pixel centres: x = (x_small + 0.5) * factor - 0.5.
            half = (factor - 1) / 2
            reading = matrix @ np.array([[factor, 0, half], [0, factor, half], [0, 0, 1]])
        else:
            reading = matrix
        crop = cv2.warpAffine(image, reading, (self.SIDE,) * 2, borderMode=cv2.BORDER_REPLICATE)
        self._request.infer([crop.transpose(2, 0, 1)[None].astype(np.float32)])
        points = self._request.get_output_tensor(0).data.reshape(5, 2) * self.SIDE
        if mirror:
            points = points[FLIP]
        return (points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T


def agreed(points: Array, mesh: Array, five: Array, limit: float) -> Array:
    """One reading [5,2] of three teachers'; the second and the third count where they lie within `limit` pixels.

    Mean of the first two, then of that and the third, which errs least.
    """
    if np.linalg.norm(mesh - points, axis=1).max() < limit:
        points = (points + mesh) / 2
    if np.linalg.norm(five - points, axis=1).max() < limit:
        points = (points + five) / 2
    return points


def iou(box: Array, boxes: Array) -> Array:
    """Intersection over union of one box [4] with boxes [N,4] (corners)."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:4], boxes[:, 2:4])
    overlap = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1)
    return overlap / (np.prod(box[2:4] - box[:2]) + areas - overlap + 1e-9)


def mirrored(faces: Array, width: int) -> Array:
    """The same faces in the horizontally mirrored photo."""
    out = faces.copy()
    out[:, [0, 2]] = width - faces[:, [2, 0]]
    points = faces[:, 4:14].reshape(-1, 5, 2)[:, FLIP].copy()
    points[..., 0] = width - points[..., 0]
    out[:, 4:14] = points.reshape(-1, 10)
    return out


def turned_back(faces: Array, quarter: int, shape: tuple[int, ...]) -> Array:
    """Faces found in np.rot90(image, quarter), in pixels of the image itself."""
    out = faces.copy()
    height, width = shape[:2]

    def back(x: Array, y: Array) -> tuple[Array, Array]:
        if quarter == 1:
            return width - y, x
        if quarter == 2:
            return width - x, height - y
        return y, height - x

    for i in range(4, 14, 2):
        out[:, i], out[:, i + 1] = back(faces[:, i], faces[:, i + 1])
    ax, ay = back(faces[:, 0], faces[:, 1])
    bx, by = back(faces[:, 2], faces[:, 3])
    out[:, 0], out[:, 2] = np.minimum(ax, bx), np.maximum(ax, bx)
    out[:, 1], out[:, 3] = np.minimum(ay, by), np.maximum(ay, by)
    return out


def label(image: Array, yunet: YuNet, mesh: Mesh, five: FivePoints, turns: bool) -> Array:
    """Faces [N,15] of a photo; those with a score below SURE are to be ignored in training."""
    size = max(image.shape[:2])
    base = min(1.0, 360 / size) if not turns else 1.0
    base = max(base, 300 / size)
    scales = [base, base * 0.8] if not turns else sorted({base, base * 0.5, min(base * 2, 1280 / size)})
    found = [yunet(image, s) for s in scales]
    found += [mirrored(yunet(np.ascontiguousarray(image[:, ::-1]), s), image.shape[1]) for s in scales[:2]]
    if turns:
        for quarter in (1, 2, 3):
            part = yunet(np.ascontiguousarray(np.rot90(image, quarter)), base)
            part = turned_back(part[part[:, 14] > 0.8], quarter, image.shape)
            part[:, 14] -= 0.1  # an upright reading of the same face wins
            found.append(part)
    faces = np.concatenate(found)
    faces = faces[np.argsort(-faces[:, 14], kind="stable")]
    out = []
    while len(faces):
        same = iou(faces[0], faces) > 0.45
        group = faces[same]
        eyes = np.linalg.norm(group[:, 6:8] - group[:, 4:6], axis=1).max() + 1e-6
        close = np.abs(group[:, 4:14] - group[0, 4:14]).max(1) < 0.25 * eyes
        best = np.average(group[close], axis=0, weights=group[close, 14])
        best[14] = group[0, 14]
        out.append(best)
        faces = faces[~same]
    for face in out:
        if face[14] < SURE or min(face[2:4] - face[:2]) < 24:
            continue
        points = face[4:14].reshape(5, 2)
        side = np.sqrt(np.prod(face[2:4] - face[:2]))
        across = points[1] - points[0]
        readings = mesh(image, face[:4], points), five(image, face[:4], float(np.arctan2(across[1], across[0])))
        face[4:14] = agreed(points, *readings, 0.09 * side).ravel()
    return np.array(out).reshape(-1, 15)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teachers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="labels.json to write; photos in it already are kept")
    parser.add_argument("--part", default="0/1", help="K/N: only every Nth photo from the Kth on, to work side by side")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    yunet = YuNet(arguments.teachers / "det_yunet" / "yunet_n_dynamic.onnx")
    mesh = Mesh(arguments.teachers / "mesh_mediapipe" / "face_landmark.onnx")
    five = FivePoints(arguments.teachers)
    labels: dict[str, list[list[float]]] = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    first, step = (int(number) for number in arguments.part.split("/"))
    photos = [p for p in list_photos(arguments.data) if p.source in arguments.sets][first::step]
    start = time.time()
    for i, photo in enumerate(photos):
        if photo.held_out or photo.path in labels:
            continue
        image = load_photo(arguments.data / photo.path)
        if image is None:
            continue
        labels[photo.path] = label(image, yunet, mesh, five, turns=photo.source != "lfw").round(3).tolist()
        if i % 1000 == 0:
            print(f"{i}/{len(photos)} {time.time() - start:.0f} s", flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(labels))


if __name__ == "__main__":
    main()
