"""The settings of execution providers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facematch_local.errors import ProviderError
from facematch_local.providers.provider import AUTO, CPU, PROVIDERS

_AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Which execution provider runs detector and recogniser.

    Attributes:
        names: names of `PROVIDERS` or `auto`, in order of preference. The first one that is installed and passes the
            trial is used; it is an error if none does. `auto` stands for `AUTO`.
        cache: an existing folder in which CUDA, TensorRT and CoreML keep compiled models; None: nothing is kept.
            Only trusted users may write into it: the providers load what lies there without a check.
        concurrent_runs: number of threads that run one model at the same time; 0: the number of usable CPUs.

    Raises:
        ProviderError: a name is unknown, no name is given, or the folder cannot be written.
    """

    names: tuple[str, ...] = (CPU,)
    cache: Path | None = None
    concurrent_runs: int = 0

    def __post_init__(self) -> None:
        known = (_AUTO, *PROVIDERS)
        if not self.names:
            raise ProviderError(f"no execution provider is named; known are {', '.join(known)}")
        if unknown := [name for name in self.names if name not in known]:
            raise ProviderError(f"unknown execution provider {unknown[0]!r}; known are {', '.join(known)}")
        if self.cache is not None and not (self.cache.is_dir() and os.access(self.cache, os.W_OK | os.X_OK)):
            raise ProviderError(f"{self.cache}: is not a folder that this user can write; providers keep models there")

    @classmethod
    def parse(cls, text: str, cache: Path | None = None, concurrent_runs: int = 0) -> ProviderSettings:
        """Read a comma-separated list of names; spaces and capitals do not count, an empty text means `cpu`.

        Raises:
            ProviderError: see the class.
        """
        names = tuple(part.strip().lower() for part in text.split(",") if part.strip())
        return cls(names or (CPU,), cache, concurrent_runs)

    @property
    def candidates(self) -> tuple[str, ...]:
        """The names, each once, with `auto` resolved."""
        return tuple(dict.fromkeys(_resolved(self.names)))

    @property
    def only_cpu(self) -> bool:
        """Whether the CPU's provider is the first choice, so that no trial is needed."""
        return self.candidates[0] == CPU


def _resolved(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        yield from AUTO if name == _AUTO else (name,)
