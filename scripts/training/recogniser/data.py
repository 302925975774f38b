"""Aligned training faces: every photo's main face cut to one frame, with its landmarks, as one .npz.

The frame is the ArcFace crop at `SCALE` with a margin, so that both the student's 112x112 crop and the teachers'
crops can be cut from it. Landmarks come from YuNet and the MediaPipe mesh, both of permissive licences.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.boxes import mirrored, turned_back
from scripts.training.common.geometry import ARCFACE, similarity
from scripts.training.common.image import Array
from scripts.training.common.landmarkers import Mesh
from scripts.training.common.photos import Photo, list_photos, load_photo
from scripts.training.common.yunet import YuNet

SIDE, SCALE, MARGIN = 144, 1.125, 9.0
TEMPLATE = ARCFACE * SCALE + MARGIN
CLOSE_CANVAS, CLOSE_FACE = 256, 128  # px, for a second look at a face
SETS = ("lfw", "asian_faces", "masks", "sunglasses", "scenes", "groups")


@dataclass(frozen=True)
class Faces:
    """Faces of one set of photos.

    crops [N,144,144,3] uint8 BGR; five [N,5,2] and mesh [N,468,2] landmarks in frame pixels; path, person ("" where
    unknown), source and held_out [N].
    """

    crops: Array
    five: Array
    mesh: Array
    path: Array
    person: Array
    source: Array
    held_out: Array

    @staticmethod
    def load(path: Path) -> Faces:
        with np.load(path) as stored:
            return Faces(**{name: stored[name] for name in Faces.__dataclass_fields__})


def find(image: Array, yunet: YuNet, upright: bool) -> Array:
    """Faces [N,15] of one photo, best scale first; landmarks averaged over the mirrored photo where both agree."""
    size = max(image.shape[:2])
    quarters = (0,) if upright else (0, 1, 3, 2)
    for quarter in quarters:
        turned = np.ascontiguousarray(np.rot90(image, quarter))
        for long_side in (220, 400, 640):
            scale = min(1.0, long_side / size) if long_side > 220 else long_side / size
            faces = yunet(turned, scale)
            faces = faces[faces[:, 14] > 0.6]
            if len(faces) == 0:
                continue
            again = mirrored(yunet(np.ascontiguousarray(turned[:, ::-1]), scale), turned.shape[1])
            for face in faces:
                close = np.abs(again[:, 4:14] - face[4:14]).max(1, initial=0) < 0.12 * (face[2] - face[0])
                if close.any():
                    face[:14] = (face[:14] + again[close][0, :14]) / 2
            return faces if quarter == 0 else turned_back(faces, quarter, image.shape)
    return np.zeros((0, 15), np.float32)


def closer(image: Array, face: Array, yunet: YuNet) -> Array:
    """The same face [15] with landmarks read from it enlarged, where it was found small; unchanged if that fails."""
    side = float(max(face[2:4] - face[:2]))
    eyes = face[6:8] - face[4:6]
    angle = float(np.degrees(np.arctan2(eyes[1], eyes[0])))
    middle = (face[:2] + face[2:4]) / 2
    matrix = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), angle, CLOSE_FACE / side)
    matrix[:, 2] += CLOSE_CANVAS / 2 - middle
    shrink = CLOSE_FACE / side
    blurred = cv2.GaussianBlur(image, (0, 0), 0.4 / shrink) if shrink < 0.6 else image
    canvas = cv2.warpAffine(blurred, matrix, (CLOSE_CANVAS, CLOSE_CANVAS), flags=cv2.INTER_LINEAR)
    found = yunet(canvas)
    again = mirrored(yunet(np.ascontiguousarray(canvas[:, ::-1])), CLOSE_CANVAS)
    at = face[4:14].reshape(5, 2) @ matrix[:, :2].T + matrix[:, 2]
    readings = [
        points
        for points in np.concatenate([found, again])[:, 4:14].reshape(-1, 5, 2)
        if np.abs(points - at).max() < 0.25 * CLOSE_FACE
    ]
    if not readings:
        return face
    back = cv2.invertAffineTransform(matrix)
    out = face.copy()
    out[4:14] = (np.mean(readings, axis=0) @ back[:, :2].T + back[:, 2]).ravel()
    return out


def choose(faces: Array, source: str, shape: tuple[int, ...]) -> Array:
    """All faces of a group photo, the central one of an LFW photo, else the largest."""
    if source == "groups" or len(faces) == 0:
        return faces
    if source == "lfw":
        centre = np.array([shape[1], shape[0]]) / 2
        middle = (faces[:, :2] + faces[:, 2:4]) / 2
        return faces[[int(np.argmin(np.linalg.norm(middle - centre, axis=1)))]]
    return faces[[int(np.argmax(np.prod(faces[:, 2:4] - faces[:, :2], axis=1)))]]


def cut(image: Array, face: Array, mesh: Mesh) -> tuple[Array, Array, Array]:
    """Crop, five points and mesh points in frame pixels of one face [15]."""
    five = face[4:14].reshape(5, 2).astype(np.float64)
    matrix = similarity(five, TEMPLATE)
    shrink = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if shrink < 0.6:  # reduce first: warpAffine samples bilinearly and would alias
        image = cv2.resize(image, None, fx=shrink * 1.2, fy=shrink * 1.2, interpolation=cv2.INTER_AREA)
        five = five * (shrink * 1.2)
        matrix = similarity(five, TEMPLATE)
    crop = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    box = np.array([MARGIN + 14, MARGIN + 14, SIDE - MARGIN - 14, SIDE - MARGIN - 2], np.float64)
    points = mesh.all(crop, box, TEMPLATE.astype(np.float64))
    return crop, five @ matrix[:, :2].T + matrix[:, 2], points


def person_of(photo: Photo) -> str:
    return Path(photo.path).parent.as_posix() if photo.source in ("lfw", "asian_faces") else ""


def main() -> None:
    parser = parser_of(__doc__, "data", "teachers")
    parser.add_argument("--out", type=Path, required=True, help="faces.npz to write")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    yunet = YuNet.of(arguments.teachers)
    mesh = Mesh(arguments.teachers)
    rows: dict[str, list[Any]] = {name: [] for name in Faces.__dataclass_fields__}
    start, missed = time.time(), 0
    for i, photo in enumerate(p for p in list_photos(arguments.data) if p.source in SETS):
        image = load_photo(arguments.data / photo.path, 1600 if photo.source == "groups" else 800)
        if image is None:
            continue
        faces = choose(find(image, yunet, photo.source == "lfw"), photo.source, image.shape)
        missed += len(faces) == 0
        for face in faces:
            if photo.source != "lfw":  # LFW's faces are found at their full size at once
                face = closer(image, face, yunet)
            crop, five, points = cut(image, face, mesh)
            values = (crop, five, points, photo.path, person_of(photo), photo.source, photo.held_out)
            for name, value in zip(rows, values, strict=True):
                rows[name].append(value)
        if i % 2000 == 0:
            print(f"{i} photos, {missed} without a face, {time.time() - start:.0f} s", flush=True)
    arrays = {name: np.array(values) for name, values in rows.items()}
    for name in ("five", "mesh"):
        arrays[name] = arrays[name].astype(np.float32)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(arguments.out, **arrays)
    print(f"{len(arrays['path'])} faces, {missed} photos without one, {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
