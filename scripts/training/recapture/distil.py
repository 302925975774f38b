"""The first stage of the recapture network: it learns to see what its teacher (MiniFASNet V2) sees, on any crop.

There are next to no labelled real recaptures, and a net trained on synthetic ones learns the simulation. The teacher
has seen real ones. So before the decision is fitted, the layers of the network learn the teacher's last map and the
features that the teacher decides by: on the captures of `data.py`, changed anew, on photos cut at other places and
sizes, on pictures of other things, and on mixtures of two of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from torch import Tensor
from torch.nn import functional

from facematch_local.networks.recapture import RECAPTURE_SIZE, recapture_crop
from scripts.training.common.image import Array
from scripts.training.common.loop import train
from scripts.training.common.photos import load_photo
from scripts.training.common.sessions import open_session
from scripts.training.recapture.net import FEATURES, MAP, RecaptureNet

BATCH = 128
CHANGES, ELSEWHERE, OTHER = 3, 2, 20000  # changed copies of a capture, cuts of a photo, crops of other things
TEACHER = Path("fas_minivision") / "2.7_80x80_MiniFASNetV2.onnx"


class Teacher:
    """MiniFASNet V2 and what it sees on the way: crops uint8 [N,80,80,3] BGR to its last map and its features."""

    def __init__(self, teachers: Path) -> None:
        model = onnx.shape_inference.infer_shapes(onnx.load(str(teachers / TEACHER)))
        shapes = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim)[1:] for v in model.graph.value_info}
        self._features = str(next(n.output[0] for n in model.graph.node if n.op_type == "BatchNormalization"))
        sums = [node.output[0] for node in model.graph.node if node.op_type == "Add"]
        self._map = str([name for name in sums if shapes[name] == MAP][-1])
        for name in (self._map, self._features):
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
        self._session = open_session(model.SerializeToString())
        self._input, self._output = self._session.get_inputs()[0].name, self._session.get_outputs()[0].name

    def __call__(self, crops: Array) -> tuple[Array, Array, Array]:
        """Probability of an attack [N], features [N,128] and the map [N,128,5,5]."""
        pixels = crops.transpose(0, 3, 1, 2).astype(np.float32)
        logits, features, seen = self._session.run([self._output, self._features, self._map], {self._input: pixels})
        share = np.exp(logits - logits.max(axis=1, keepdims=True))
        return 1 - share[:, 1] / share.sum(axis=1), features, seen


def elsewhere(image: Array, box: Array, rng: np.random.Generator) -> Array:
    """The crop as if the face were elsewhere, or larger or smaller."""
    side = float(max(box[2] - box[0], box[3] - box[1]))
    middle = (box[:2] + box[2:]) / 2 + rng.normal(0, 0.25, 2) * side
    half = side / 2 * np.exp(rng.normal(0, 0.4))
    return recapture_crop(image, np.float32([*(middle - half), *(middle + half)]))


def other_things(files: list[Path], count: int, rng: np.random.Generator) -> Iterator[Array]:
    """Crops of any pictures."""
    while count > 0:
        image = load_photo(files[rng.integers(len(files))], 800)
        if image is None or min(image.shape[:2]) < 60:
            continue
        for _ in range(4):
            side = rng.uniform(25, 0.9 * min(image.shape[:2])) / 2.7
            middle = rng.uniform(0, image.shape[1::-1])
            yield recapture_crop(image, np.float32([*(middle - side / 2), *(middle + side / 2)]))
            count -= 1


def mixed(one: Array, two: Array, rng: np.random.Generator) -> Array:
    """Two crops over each other, or each in a part of the picture."""
    if rng.random() < 0.5:
        share = rng.uniform(0.2, 0.8)
        return cv2.addWeighted(one, share, two, 1 - share, 0)
    out, cut = one.copy(), int(rng.integers(10, RECAPTURE_SIZE - 10))
    if rng.random() < 0.5:
        out[cut:] = two[cut:]
    else:
        out[:, cut:] = two[:, cut:]
    return out


def written(crops: Iterator[Array], teacher: Teacher, folder: Path) -> None:
    """Crops and what the teacher sees of them, to `crops.u8`, `maps.f16` and `features.f32`."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ("crops.u8", "maps.f16", "features.f32")
    with (folder / names[0]).open("wb") as pixels, (folder / names[1]).open("wb") as maps:
        features = []
        for batch in batches(crops, 64):
            _, own, seen = teacher(batch)
            pixels.write(batch.tobytes())
            maps.write(seen.astype(np.float16).tobytes())
            features.append(own)
    np.concatenate(features).astype(np.float32).tofile(folder / "features.part")
    (folder / "features.part").rename(folder / names[2])  # last: its being there says that all is


def batches(crops: Iterable[Array], size: int) -> Iterator[Array]:
    """Stacks of `size` crops, the last of what is left."""
    batch = []
    for crop in crops:
        batch.append(crop)
        if len(batch) == size:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)


def loss_of(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean square errors of the features and the map, both in units of their spread."""
    return functional.mse_loss(outputs[:, :FEATURES], targets[:, :FEATURES]) + 0.5 * functional.mse_loss(
        outputs[:, FEATURES:], targets[:, FEATURES:]
    )


def taught(folder: Path, steps: int, checkpoint: Path) -> RecaptureNet:
    """A net that sees what the teacher sees, from random numbers."""
    crops = np.memmap(folder / "crops.u8", np.uint8, "r").reshape(-1, RECAPTURE_SIZE, RECAPTURE_SIZE, 3)
    maps = np.memmap(folder / "maps.f16", np.float16, "r").reshape(len(crops), *MAP)
    features = np.fromfile(folder / "features.f32", np.float32).reshape(len(crops), FEATURES)
    net = RecaptureNet()
    middle, width = features.mean(0), features.std(0) + 1e-3
    some = maps[:: max(len(maps) // 4000, 1)].astype(np.float32)
    mean, spread = some.mean((0, 2, 3), keepdims=True), some.std((0, 2, 3), keepdims=True) + 1e-2

    def batch_of(rng: np.random.Generator) -> tuple[tuple[Tensor, ...], Tensor]:
        chosen = np.sort(rng.integers(0, len(crops), BATCH))
        own = (features[chosen] - middle) / width
        seen = (maps[chosen].astype(np.float32) - mean) / spread
        target = torch.from_numpy(np.concatenate([own, seen.reshape(BATCH, -1)], axis=1).astype(np.float32))
        return (torch.from_numpy(crops[chosen]),), target

    # The loop gives back the averaged copy of the net.
    averaged: Any = train(net, batch_of, loss_of, steps, checkpoint, call=RecaptureNet.sees)
    return averaged  # type: ignore[no-any-return]
