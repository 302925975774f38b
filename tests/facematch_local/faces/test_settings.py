"""How faces are looked for, unless a pack says otherwise."""

from __future__ import annotations

from dataclasses import asdict

from facematch_local.faces import DetectionSettings


def test_the_settings_that_the_published_figures_rest_on() -> None:
    """A change moves the figures of docs/accuracy.md and docs/warnings.md: measure them anew with it."""
    assert asdict(DetectionSettings()) == {
        "coarse_size": 320,
        "size": 640,
        "large_face": 0.25,
        "small_face": 0.2,
        "close_up_size": 256,
        "small_face_size": 1280,
        "turned_size": 320,
        "unsure_size": 160,
        "score": 0.5,
        "turned_score": 0.6,
        "sure_score": 0.7,
        "confirm_below": 0.7,
        "turned_gain": 0.05,
        "least_score": 0.2,
        "faint_face": 0.15,
        "most_candidates": 6,
        "most_confirmed": 64,
        "most_located": 4,
        "landmark_looks": 1,
        "small_face_confirmation": 0.8,
    }
