"""State the ranges of the values between a network's convolutions in its file, see `facematch_local.packs.eight_bit`.

    python -m scripts.training.common.ranges texture models/compact/networks/texture.onnx

The ranges are those of the network's values on photos that installed packages contain, at several sizes and JPEG
qualities, and on drawn pictures of prints and screens of them. Run it after every export of the network; then
`python -m scripts.training.seal_pack` for the file's new checksum.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, helper

from facematch_local import synthetic
from facematch_local.networks.texture import TILE
from facematch_local.packs.eight_bit import RANGES_KEY

Pixels = NDArray[np.uint8]
_SIZES: Final = (1.0, 1.6, 2.5)
_BATCHES: Final = 40


def main() -> None:
    """Write the ranges into a file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("task", choices=sorted(_INPUTS))
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    prefix, inputs = _INPUTS[options.task]
    model = onnx.load(str(options.file))
    ranges = measured(model, between_convolutions(model, prefix), inputs(np.random.default_rng(1)))
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key != RANGES_KEY}
    helper.set_model_props(model, kept | {RANGES_KEY: json.dumps(ranges, separators=(",", ":"))})
    options.file.write_bytes(model.SerializeToString())
    print(f"{options.file}: {len(ranges)} ranges")


def between_convolutions(model: ModelProto, prefix: str) -> list[str]:
    """The tensors before, between and behind the convolutions whose weights have this prefix.

    A convolution's own output is one of them only if it is added to another tensor: behind most follows a Relu.
    """
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    names: list[str] = []
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[1].startswith(prefix):
            names.append(node.input[0])
            (reader,) = readers[node.output[0]]
            if reader.op_type == "Add":
                names.append(node.output[0])
                (reader,) = readers[reader.output[0]]
            names.append(reader.output[0])
    return list(dict.fromkeys(names))


def measured(
    model: ModelProto, names: list[str], inputs: Iterator[Mapping[str, NDArray[np.uint8]]]
) -> dict[str, tuple[float, float]]:
    """Lowest and highest value of each tensor over the inputs."""
    seen = ModelProto()
    seen.CopyFrom(model)
    seen.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(seen.SerializeToString(), providers=["CPUExecutionProvider"])
    low, high = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    for each in inputs:
        values = session.run(names, dict(each))
        low = np.minimum(low, [value.min() for value in values])
        high = np.maximum(high, [value.max() for value in values])
    return {name: (float(f"{a:.6g}"), float(f"{b:.6g}")) for name, a, b in zip(names, low, high, strict=True)}


def squares(rng: np.random.Generator) -> Iterator[Mapping[str, Pixels]]:
    """Inputs of the texture network."""
    pictures = list(_pictures(rng))
    for _ in range(_BATCHES):
        chosen = [pictures[at] for at in rng.integers(len(pictures), size=16)]
        yield {"tiles": np.stack([_square(picture, rng) for picture in chosen])}


def _pictures(rng: np.random.Generator) -> Iterator[Pixels]:
    """Photos as cameras and messengers leave them, and drawn prints and screens of them."""
    for photo in _photos():
        for size in _SIZES:
            larger = cv2.resize(photo, None, fx=size, fy=size, interpolation=cv2.INTER_CUBIC)
            noisy = np.clip(larger + rng.normal(0, rng.uniform(0, 6), larger.shape), 0, 255).astype(np.uint8)
            yield synthetic.jpeg(noisy, int(rng.integers(60, 97)))
        for _ in _SIZES:
            yield synthetic.screen_recapture(photo, rng)
            yield synthetic.print_recapture(photo, rng)


def _photos() -> Iterator[Pixels]:
    """HxWx3 uint8 BGR, of scikit-image and insightface."""
    import insightface.data
    import skimage.data

    for of in (skimage.data.astronaut, skimage.data.chelsea, skimage.data.coffee, skimage.data.rocket):
        yield np.ascontiguousarray(of()[:, :, ::-1])
    yield insightface.data.get_image("t1")


def _square(picture: Pixels, rng: np.random.Generator) -> Pixels:
    top, left = (int(rng.integers(length - TILE + 1)) for length in picture.shape[:2])
    return picture[top : top + TILE, left : left + TILE]


_INPUTS: Final[Mapping[str, tuple[str, Callable[[np.random.Generator], Iterator[Mapping[str, Pixels]]]]]] = {
    # The first convolution reads too few channels to gain, and those of the spectrum are small.
    "texture": ("net.rest.", squares),
}
"""By task: prefix of the weights, and a function that gives the inputs."""


if __name__ == "__main__":
    main()
