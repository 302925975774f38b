"""A photo whose face is known without a detector."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from facematch_local.faces import Face


@pytest.fixture(scope="session")
def astronaut_face() -> Face:
    """The face of the `astronaut` photo, as a detector gives it."""
    box = np.array([180.1, 60.2, 271.6, 179.7], np.float32)
    points = [(204.1, 100.6), (246.8, 103.6), (223.8, 129.2), (202.0, 139.7), (245.7, 142.3)]
    return Face(box, np.array(points, np.float32), 0.8)


@pytest.fixture
def photo(astronaut: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of `astronaut` that may be painted on."""
    return astronaut.copy()
