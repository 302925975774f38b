"""Limits on decoding one photo."""

from __future__ import annotations

from dataclasses import dataclass

from facematch_local.imaging.photo import ImageLimits


@dataclass(frozen=True, slots=True)
class Allowance:
    """Limits on decoding one photo.

    Attributes:
        memory_bytes: address space beyond that of a fresh decoder.
        cpu_seconds: CPU time of all its threads.
    """

    memory_bytes: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class DecoderLimits:
    """Limits on a decoder.

    Attributes:
        image: limits on photos.
        ordinary: for a photo without the lock for large photos.
        large: for a photo with that lock.
    """

    image: ImageLimits
    ordinary: Allowance
    large: Allowance
