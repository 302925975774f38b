"""Nothing that holds a photo, an embedding or a secret prints it: reprs reach logs and tracebacks."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import facematch_local
import facematch_server
from facematch_local.brief_repr import BriefRepr, brief
from facematch_local.faces import Face
from facematch_local.imaging.photo import Photo
from facematch_server.wire.detailed import CompareOut
from facematch_server.wire.photos import PhotoPair as WirePhotos
from facematch_server.wire.reply import Compared, FoundFace

# Fields of these types may hold pixels, encoded photos or embeddings.
HEAVY = re.compile(r"NDArray|bytes|Pixels|_Floats|FloatArray|ndarray")
# Counts, scores and indices of evaluations, and bytes of the protocol: nothing of a person.
HARMLESS = {
    "Comparisons",
    "Dataset",
    "DocumentScores",
    "FoldAccuracy",
    "Listed",
    "Pairs",
    "Scores",
    "Series",
    "Wheel",
    "_Delimiter",
}
# Secrets are strings.
SECRET = re.compile(r"secret|password|authorization|^auth$")


def modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if "__main__" not in found.name and ".migrations" not in found.name:
            yield importlib.import_module(found.name)


def dataclasses_of_both_packages() -> list[type[Any]]:
    found: dict[str, type[Any]] = {}
    for module in (*modules(facematch_local), *modules(facematch_server)):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if dataclasses.is_dataclass(kind) and kind.__module__ == module.__name__:
                found[f"{kind.__module__}.{kind.__qualname__}"] = kind
    return list(found.values())


def test_every_dataclass_with_pixels_bytes_or_embeddings_is_brief() -> None:
    kinds = dataclasses_of_both_packages()
    assert len(kinds) > 60
    printing = []
    for kind in kinds:
        if issubclass(kind, BriefRepr):
            assert kind.__repr__ is BriefRepr.__repr__, kind
            continue
        for field in dataclasses.fields(kind):
            if field.repr and kind.__name__ not in HARMLESS and HEAVY.search(str(field.type)):
                printing.append(f"{kind.__qualname__}.{field.name}: {field.type}")
    assert not printing


def test_every_dataclass_with_a_secret_leaves_it_out() -> None:
    printing = [
        f"{kind.__qualname__}.{field.name}"
        for kind in dataclasses_of_both_packages()
        for field in dataclasses.fields(kind)
        if field.repr and SECRET.search(field.name) and "__repr__" not in vars(kind)
    ]
    assert not printing


PIXELS = np.full((480, 640, 3), 200, np.uint8)


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (Photo(PIXELS), "Photo(pixels=<uint8 480x640x3>, scale=1.0, format='ARRAY', jpeg_step=None)"),
        (
            Face(np.ones(4, np.float32), np.ones((5, 2), np.float32), 0.5, np.ones(512, np.float32)),
            "Face(box=<float32 4>, landmarks=<float32 5x2>, score=0.5, embedding=<float32 512>)",
        ),
        (FoundFace(b"x" * 99, 0.5), "FoundFace(jpeg=<99 bytes>, score=0.5)"),
        (WirePhotos(b"x" * 9, b"y" * 8), "PhotoPair(image1=<9 bytes>, image2=<8 bytes>)"),
        (Compared(1.0, FoundFace(b"x", 1.0), None), "Compared(percent=1.0, face1=FoundFace(jpeg=<1 bytes>, score=1.0)"),
    ],
)
def test_shape_and_size_only(value: object, printed: str) -> None:
    assert repr(value).startswith(printed)


def test_containers() -> None:
    assert brief({"a": (b"xy",), "b": [PIXELS]}) == "{'a': (<2 bytes>,), 'b': [<uint8 480x640x3>]}"


def test_a_whole_result(matcher: Any, astronaut_jpeg: bytes) -> None:
    result = matcher.match(astronaut_jpeg, astronaut_jpeg, "portrait")
    assert "array(" not in repr(result)
    assert "uint8 512x512x3" in repr(result)
    assert "embedding=<float32 " in repr(result)
    described = CompareOut.of(result, "id")
    for text in (repr(described), str(described)):
        assert described.images[0].crop[:20] not in text
        assert described.wire.documented[:30] not in text
        assert len(text) < 10_000
