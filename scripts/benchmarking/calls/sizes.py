"""The detection sizes that the library chooses for two photos."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from facematch_local.checks import Role
from facematch_local.matcher import FaceMatcher
from scripts.benchmarking.calls.ways import Size
from scripts.benchmarking.photos import Pair


@dataclass(slots=True)
class _Noting:
    """A detector that notes each pass over a whole photo."""

    inner: Any
    passes: list[tuple[tuple[int, int], Size]] = field(default_factory=list)

    def detect(self, img: Any, input_size: Size | None = None, **options: Any) -> Any:
        if input_size is not None:
            self.passes.append((img.shape[:2], input_size))
        return self.inner.detect(img, input_size=input_size, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def chosen_sizes(pack: Path, pair: Pair) -> tuple[Size, Size]:
    """Width and height of the input of the largest pass over card and portrait, without passes over parts of them.

    The passes before it look for a large face; the bare models do without them.
    """
    matcher = FaceMatcher.open(pack)
    noting = _Noting(matcher.pack.analyser.detector)
    analyser = replace(matcher.pack.analyser, detector=noting)
    watched = FaceMatcher(replace(matcher.pack, analyser=analyser))
    return _largest(watched, noting, pair.card, Role.CARD), _largest(watched, noting, pair.portrait, Role.PORTRAIT)


def _largest(matcher: FaceMatcher, noting: _Noting, photo: bytes, role: Role) -> Size:
    noting.passes.clear()
    result, _ = matcher.examine(photo, role)
    pixels = result.photo.pixels
    aspect = pixels.shape[1] / pixels.shape[0]
    whole = [size for shape, size in noting.passes if abs(shape[1] / shape[0] / aspect - 1) < 0.02]
    return max(whole, default=(640, 640), key=lambda size: size[0] * size[1])
