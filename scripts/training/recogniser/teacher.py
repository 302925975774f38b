"""The teacher, Open Model Zoo's face-reidentification-retail-0095 (Apache-2.0): embeddings, and maps before them."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.arguments import parser_of
from scripts.training.common.geometry import similarity
from scripts.training.common.image import Array
from scripts.training.recogniser.data import Faces

INPUT, BATCH = 128, 16
# Sums of its residual blocks after which a stage of the student ends: [64,32,32], [128,16,16] twice, [128,8,8].
MAPS = ("494", "557", "605", "652")
# The teacher's own five points, in units of its crop (see its README among the teachers).
TEMPLATE = INPUT * np.array(
    [[0.3156, 0.4616], [0.6827, 0.4616], [0.5003, 0.6405], [0.3495, 0.8247], [0.6534, 0.8233]], np.float64
)


class Teacher:
    """Embeddings [N,256] of faces, and the maps named in MAPS."""

    def __init__(self, folder: Path, precision: str = "bf16", threads: int = 1) -> None:
        import openvino

        core = openvino.Core()
        model = core.read_model(folder / "rec_openvino_reid0095" / "face-reidentification-retail-0095.xml")
        model.add_outputs([(name, 0) for name in MAPS])
        model.reshape([BATCH, 3, INPUT, INPUT])
        settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()

    def run(self, crops: Array) -> Array:
        """Embeddings [N,256] of `crops` [N,128,128,3] uint8 BGR in the teacher's own alignment."""
        return np.concatenate([self._infer(crops[i : i + BATCH], 1)[0] for i in range(0, len(crops), BATCH)])

    def with_maps(self, crops: Array) -> tuple[Array, list[Array]]:
        """Embeddings [N,256] and the maps, each [N,C,H,W] float32."""
        parts = [self._infer(crops[i : i + BATCH], 1 + len(MAPS)) for i in range(0, len(crops), BATCH)]
        joined = [np.concatenate(same) for same in zip(*parts, strict=True)]
        return joined[0], joined[1:]

    def _infer(self, crops: Array, outputs: int) -> list[Array]:
        full = np.zeros((BATCH, 3, INPUT, INPUT), np.float32)
        full[: len(crops)] = crops.transpose(0, 3, 1, 2)
        self._request.infer([full])
        found = [self._request.get_output_tensor(i).data[: len(crops)].copy() for i in range(outputs)]
        return [found[0].reshape(len(crops), -1), *found[1:]]

    @staticmethod
    def align(crop: Array, five: Array) -> Array:
        return cv2.warpAffine(
            crop, similarity(five, TEMPLATE), (INPUT, INPUT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    def both_ways(self, crops: Array) -> Array:
        """Unit embeddings, means over the crop and its mirror image."""
        return unit(unit(self.run(crops)) + unit(self.run(np.ascontiguousarray(crops[:, :, ::-1]))))


def unit(x: Array) -> Array:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-9)


def main() -> None:
    parser = parser_of(__doc__, "faces", "teachers")
    parser.add_argument("--out", type=Path, required=True, help="targets .npz to write")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    faces, teacher, start = Faces.load(arguments.faces), Teacher(arguments.teachers), time.time()
    embeddings = []
    for i in range(0, len(faces.crops), 256):
        rows = range(i, min(i + 256, len(faces.crops)))
        crops = np.stack([teacher.align(faces.crops[r], faces.five[r]) for r in rows])
        embeddings.append(teacher.both_ways(crops).astype(np.float32))
        print(f"{i} faces, {time.time() - start:.0f} s", flush=True)
    np.savez(arguments.out, embeddings=np.concatenate(embeddings))


if __name__ == "__main__":
    main()
