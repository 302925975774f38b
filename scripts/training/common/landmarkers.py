"""Teachers of the five landmarks: the MediaPipe mesh and Open Model Zoo's landmark network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.geometry import FLIP
from scripts.training.common.image import Array
from scripts.training.common.sessions import open_session


class Mesh:
    """The 468-point mesh of MediaPipe."""

    SIDE = 192  # pixels of its crop

    def __init__(self, teachers: Path) -> None:
        self._session = open_session(teachers / "mesh_mediapipe" / "face_landmark.onnx")
        self._input = self._session.get_inputs()[0].name
        shapes = [int(np.prod([d for d in o.shape if isinstance(d, int)])) for o in self._session.get_outputs()]
        self._points = self._session.get_outputs()[int(np.argmax(shapes))].name

    def points(self, crop: Array) -> Array:
        """All points [468,2] of a crop uint8 [192,192,3] BGR, in pixels of the crop."""
        blob = crop[None, :, :, ::-1].astype(np.float32) / 255
        points: Array = self._session.run([self._points], {self._input: blob})[0].reshape(-1, 3)[:468, :2]
        return points

    def five(self, image: Array, box: Array, points: Array) -> Array:
        """Eye centres, nose tip and mouth corners [5,2] of the face in `box`, in image pixels."""
        mesh, back = self._look(image, box, points, cv2.BORDER_CONSTANT)
        five = np.stack([mesh[[33, 133]].mean(0), mesh[[362, 263]].mean(0), mesh[[1, 4]].mean(0), mesh[61], mesh[291]])
        return five @ back[:, :2].T + back[:, 2]

    def all(self, image: Array, box: Array, points: Array) -> Array:
        """All points [468,2] of the face in `box`, in image pixels; beyond the image its border is repeated."""
        mesh, back = self._look(image, box, points, cv2.BORDER_REPLICATE)
        return mesh @ back[:, :2].T + back[:, 2]

    def _look(self, image: Array, box: Array, points: Array, border: int) -> tuple[Array, Array]:
        """Points in the crop of an upright face, and the way back to the image [2,3]."""
        angle = np.arctan2(*(points[1] - points[0])[::-1])
        side = 1.5 * max(box[2] - box[0], box[3] - box[1])
        centre = (box[:2] + box[2:4]) / 2
        turn = self.SIDE / side * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        matrix = np.hstack([turn, (self.SIDE / 2 - turn @ centre)[:, None]])
        crop = cv2.warpAffine(image, matrix, (self.SIDE, self.SIDE), flags=cv2.INTER_LINEAR, borderMode=border)
        return self.points(crop), cv2.invertAffineTransform(matrix)


class FivePoints:
    """Open Model Zoo's landmarks-regression-retail-0009, the mean of three looks at a face, one of them mirrored."""

    SIDE, LOOKS, MIRRORED_LOOK = 48, (1.0, 1.15), 1.1  # pixels; longer sides of the box

    def __init__(self, teachers: Path) -> None:
        import openvino

        core = openvino.Core()
        model = core.read_model(teachers / "lm5_openvino0009" / "landmarks-regression-retail-0009.xml")
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
