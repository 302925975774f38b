"""The teacher, Open Model Zoo's face-reidentification-retail-0095 (Apache-2.0): embeddings and its last map."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from faces import Faces, similarity

Array = np.ndarray[Any, Any]

INPUT, BATCH, LAST_MAP = 128, 16, "652"
# The teacher's own five points, in units of its crop (see its README among the teachers).
TEMPLATE = INPUT * np.array(
    [[0.3156, 0.4616], [0.6827, 0.4616], [0.5003, 0.6405], [0.3495, 0.8247], [0.6534, 0.8233]], np.float64
)


class Teacher:
    """Embeddings [N,256] and the last residual sum [N,128,8,8] of faces in the training frame."""

    def __init__(self, folder: Path, precision: str = "bf16", threads: int = 1) -> None:
        import openvino

        core = openvino.Core()
        model = core.read_model(folder / "rec_openvino_reid0095" / "face-reidentification-retail-0095.xml")
        model.add_outputs([(LAST_MAP, 0)])
        model.reshape([BATCH, 3, INPUT, INPUT])
        settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()

    def run(self, crops: Array) -> tuple[Array, Array]:
        """`crops` [N,128,128,3] uint8 BGR in the teacher's own alignment."""
        embeddings, maps = [], []
        for i in range(0, len(crops), BATCH):
            part = crops[i : i + BATCH].transpose(0, 3, 1, 2).astype(np.float32)
            full = np.zeros((BATCH, 3, INPUT, INPUT), np.float32)
            full[: len(part)] = part
            self._request.infer([full])
            embeddings.append(self._request.get_output_tensor(0).data.reshape(BATCH, -1)[: len(part)].copy())
            maps.append(self._request.get_output_tensor(1).data[: len(part)].astype(np.float16))
        return np.concatenate(embeddings), np.concatenate(maps)

    @staticmethod
    def align(crop: Array, five: Array) -> Array:
        return cv2.warpAffine(
            crop, similarity(five, TEMPLATE), (INPUT, INPUT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    def both_ways(self, crops: Array) -> tuple[Array, Array]:
        """Means over the crop and its mirror image: unit embeddings, and maps turned back before the mean."""
        one, map_one = self.run(crops)
        two, map_two = self.run(np.ascontiguousarray(crops[:, :, ::-1]))
        mean = unit(one) + unit(two)
        return unit(mean), (map_one + map_two[..., ::-1]) / np.float16(2)


def unit(x: Array) -> Array:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--teachers", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="targets .npz to write")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    faces, teacher, start = Faces.load(arguments.faces), Teacher(arguments.teachers), time.time()
    embeddings, maps = [], []
    for i in range(0, len(faces.crops), 256):
        rows = range(i, min(i + 256, len(faces.crops)))
        found = teacher.both_ways(np.stack([teacher.align(faces.crops[r], faces.five[r]) for r in rows]))
        embeddings.append(found[0].astype(np.float32))
        maps.append(found[1])
        print(f"{i} faces, {time.time() - start:.0f} s", flush=True)
    np.savez(arguments.out, embeddings=np.concatenate(embeddings), maps=np.concatenate(maps))


if __name__ == "__main__":
    main()
