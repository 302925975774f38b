"""insightface's SCRFD with less work around the network.

insightface computes boxes and landmarks of all anchors and keeps those whose score reaches the threshold; here they are
computed for the latter only. The input is made from a table of 256 values instead of `cv2.dnn.blobFromImage`. The
numbers are the same.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import onnxruntime
from insightface.model_zoo import SCRFD
from numpy.typing import NDArray

_Floats = NDArray[np.float32]

# ONNX Runtime keeps the memory of the largest run on the CPU. The rare passes over more pixels than this return theirs.
_KEPT_PIXELS: Final = 640 * 640


class Scrfd(SCRFD):  # type: ignore[misc]
    """A detector with the interface of insightface's. Safe to share between threads."""

    def __init__(self, model_file: str, session: Any) -> None:
        """Use an open session of a model.

        Args:
            model_file: path of the model.
            session: its session; used for every input size, where insightface would open one for each.
        """
        super().__init__(model_file=model_file, session=session, static_shape_sessions=False)
        values = (np.arange(256, dtype=np.float32) - np.float32(self.input_mean)) * np.float32(1 / self.input_std)
        self._table: _Floats = values.astype(np.float32)
        self._returning: onnxruntime.RunOptions | None = None
        if session.get_providers() == ["CPUExecutionProvider"]:
            self._returning = onnxruntime.RunOptions()
            self._returning.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def forward(self, img: NDArray[np.uint8], threshold: float) -> tuple[list[_Floats], list[_Floats], list[_Floats]]:
        """Run the network on a padded picture.

        Args:
            img: HxWx3 uint8 BGR; both sides are multiples of the largest stride.
            threshold: lowest score, 0 to 1.

        Returns:
            Three lists with an array for each stride: scores (N, 1), boxes (N, 4) as left, top, right and bottom, and
            landmarks (N, 5, 2); coordinates are pixels of `img`. The last list is empty without landmarks.
        """
        options = self._returning if img.shape[0] * img.shape[1] > _KEPT_PIXELS else None
        outputs = self.session.run(self.output_names, {self.input_name: self._input(img)}, options)
        if self.batched:
            outputs = [output[0] for output in outputs]
        scores: list[_Floats] = []
        boxes: list[_Floats] = []
        landmarks: list[_Floats] = []
        for at, stride in enumerate(self._feat_stride_fpn):
            found = np.flatnonzero(outputs[at] >= threshold)
            centres = self._centres(found, img.shape[1] // stride, stride)
            reach = outputs[at + self.fmc][found] * stride
            scores.append(outputs[at][found])
            boxes.append(np.hstack([centres - reach[:, :2], centres + reach[:, 2:]]))
            if self.use_kps:
                offsets = outputs[at + 2 * self.fmc][found] * stride
                landmarks.append(centres[:, None] + offsets.reshape(len(found), offsets.shape[1] // 2, 2))
        return scores, boxes, landmarks

    def _input(self, img: NDArray[np.uint8]) -> _Floats:
        """The picture as the network reads it: (1, 3, H, W), RGB."""
        import cv2

        blob = np.empty((1, 3, *img.shape[:2]), np.float32)
        for at, channel in enumerate(reversed(cv2.split(img))):
            cv2.LUT(channel, self._table, blob[0, at])
        return blob

    def _centres(self, anchors: NDArray[np.intp], columns: int, stride: int) -> _Floats:
        """Centres (N, 2) of anchors, x and y in pixels; anchors are numbered by row, column and anchor of a place."""
        rows, across = np.divmod(anchors // self._num_anchors, columns)
        return np.stack([across, rows], axis=1).astype(np.float32) * np.float32(stride)
