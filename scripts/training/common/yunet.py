"""YuNet, the teacher that finds faces."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from scripts.training.common.image import Array

UNSURE = 0.3  # least score of a face


class YuNet:
    """YuNet through OpenCV; faces as [N,15]: x1,y1,x2,y2, five points x,y, score, in pixels of the given photo."""

    def __init__(self, model: Path, threshold: float = UNSURE) -> None:
        self._net = cv2.FaceDetectorYN.create(str(model), "", (320, 320), threshold, 0.4, 500)

    @classmethod
    def of(cls, teachers: Path, threshold: float = UNSURE) -> YuNet:
        """The one in the folder of the teachers."""
        return cls(teachers / "det_yunet" / "yunet_n_dynamic.onnx", threshold)

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
