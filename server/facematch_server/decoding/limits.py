"""What decoding one photo may take."""

from __future__ import annotations

from dataclasses import dataclass

from facematch_local.imaging.photo import ImageLimits


@dataclass(frozen=True, slots=True)
class Allowance:
    """What decoding one photo may take.

    Attributes:
        memory_bytes: address space beyond what the decoder has when it starts.
        cpu_seconds: CPU time of all its threads.
    """

    memory_bytes: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class DecoderLimits:
    """What a decoder works under.

    Attributes:
        image: limits on photos.
        ordinary: for a photo that needs no turn.
        large: for one that has its turn.
    """

    image: ImageLimits
    ordinary: Allowance
    large: Allowance
