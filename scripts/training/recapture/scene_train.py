"""Train the recapture network on the composed views of `scenes.py`; `scene_export.py` writes it into a pack.

    python -m scripts.training.recapture.scene_train --data DATA --work WORK

Faces are found by the pack `standard`. Crops of real portraits as they are stand beside the composed views. The period,
which the network gets as a second input, keeps the fixed weight of `net.py`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from facematch_local.networks.base import resized
from facematch_local.networks.recapture import RECAPTURE_SIZE, recapture_crop
from facematch_local.packs import find_pack, load_pack
from scripts.training.common.arguments import add_training, parser_of
from scripts.training.common.image import Array, Rng, jpeg
from scripts.training.common.loop import Batch, prepare, trained
from scripts.training.common.photos import NO_CARD_WITH_PEOPLE, Photo, list_photos, load_photo
from scripts.training.recapture.net import RecaptureNet
from scripts.training.recapture.scenes import Portrait, held_up, person
from scripts.training.texture.data import kept_apart

BATCH = 128
ROUNDS = {"lfw": 2, "asian_faces": 8, "east_asian_people": 10, "masks": 4, "sunglasses": 4, "scenes": 10}
AS_IT_IS = 3  # kind of a real portrait that is not composed
LFW_SHARE = 6  # every n-th photo of LFW


def listed(data: Path) -> list[Photo]:
    """The portraits of the development split that are read, without those that a limit is chosen on."""
    return [
        photo
        for number, photo in enumerate(list_photos(data, tuple(ROUNDS)))
        if not photo.held_out and not kept_apart(photo.path) and (photo.source != "lfw" or number % LFW_SHARE == 0)
    ]


def views(data: Path) -> Iterator[tuple[Array, int]]:
    """Crops uint8 [80,80,3] with their kinds: 0 live, 1 print, 2 screen, 3 a real portrait as it is."""
    analyser = load_pack(find_pack("standard")).analyser
    rooms = [
        p for p in list_photos(data, ("no_card",)) if not p.held_out and Path(p.path).stem not in NO_CARD_WITH_PEOPLE
    ]
    others = [r for r in (load_photo(data / p.path, 500) for p in rooms) if r is not None]
    for photo in listed(data):
        image = load_photo(data / photo.path, 640)
        faces = () if image is None else analyser.find(image)
        if image is None or not faces or faces[0].width < 30:
            continue
        portrait = Portrait(image, faces[0].box)
        if len(others) < 600 and photo.source != "lfw":
            others.append(cv2.resize(image, (320, 320), interpolation=cv2.INTER_AREA))
        yield recapture_crop(image, faces[0].box), AS_IT_IS
        for number in range(ROUNDS[photo.source]):
            rng = np.random.default_rng((zlib.crc32(photo.path.encode()), number))
            yield resized(person(portrait, others, rng), RECAPTURE_SIZE), 0
            display = bool(rng.random() < 0.5)
            yield resized(held_up(portrait, others, rng, display), RECAPTURE_SIZE), 2 if display else 1


def written(data: Path, folder: Path) -> tuple[Array, Array]:
    """Crops [N,80,80,3] and kinds [N], made once."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "kinds.npy").exists():
        crops, kinds = zip(*views(data), strict=True)
        np.save(folder / "crops.npy", np.stack(crops))
        np.save(folder / "kinds.npy", np.array(kinds))
    return np.load(folder / "crops.npy"), np.load(folder / "kinds.npy")


def drawer(crops: Array, kinds: Array) -> Callable[[Rng], Batch]:
    """Batches, half of them live, most of those as they are; mirrored, in other light and compressed again at times."""
    members = [np.flatnonzero(kinds == kind) for kind in range(4)]

    def batch(rng: Rng) -> Batch:
        drawn = (0, 1, AS_IT_IS, 2, AS_IT_IS, 1, AS_IT_IS, 2)
        chosen = [int(rng.choice(members[drawn[place % len(drawn)]])) for place in range(BATCH)]
        wide = np.stack([_changed(crops[index], rng) for index in chosen])
        return (torch.from_numpy(wide), torch.zeros(BATCH, 1)), torch.from_numpy(kinds[chosen] % AS_IT_IS)

    return batch


def _changed(crop: Array, rng: Rng) -> Array:
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    gain, gamma = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3)), np.exp(rng.normal(0, 0.15))
    table = np.clip(255 * (np.arange(256)[:, None] / 255) ** gamma * gain, 0, 255).astype(np.uint8)
    new: Array = cv2.LUT(np.ascontiguousarray(crop), table[:, None])
    if rng.random() < 0.2:
        new = cv2.GaussianBlur(new, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.15:
        new = jpeg(new, int(rng.integers(50, 96)))
    return new


def network() -> RecaptureNet:
    """The network with random weights."""
    return RecaptureNet((16, 32, 48, 64), (1, 2, 2, 1))


def loss_of(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy with a little doubt."""
    return functional.cross_entropy(logits, targets, label_smoothing=0.05)


def main() -> None:
    parser = parser_of(__doc__, "data")
    add_training(parser, steps=1500)
    arguments = parser.parse_args()
    prepare()
    crops, kinds = written(arguments.data, arguments.work / "scenes")
    print(f"{len(kinds)} crops, {np.bincount(kinds).tolist()} live, print, screen, as it is", flush=True)
    trained(network(), drawer(crops, kinds), loss_of, arguments, "scene")


if __name__ == "__main__":
    main()
