"""Settings of the search for faces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """Settings of the search for faces.

    The detector runs in up to four passes at different sizes, then on rotated copies of the photo. Sizes are the
    longest side in pixels to which the photo is scaled. Scores and confidences range from 0 to 1.

    Attributes:
        coarse_size: size of the first pass. It suffices for selfies and tight crops, and finds them better than a
            larger size, at which a face that fills the frame exceeds the detector's anchors.
        size: size of the second pass, run if the first one finds no large face: cards, groups.
        large_face: share of the photo's longest side from which a face is large and the first pass suffices.
        small_face: share of the photo's longest side below which a sure face of the second pass is small. If that pass
            runs first, as on cards, it then suffices.
        close_up_size: size of the third pass, with a margin on all sides, run if no face was found: faces that extend
            beyond the frame.
        small_face_size: size of the fourth pass, run if no face was found and the photo is larger than `size`: small
            portraits on large scans.
        turned_size: size of the passes over the photo rotated by 90, 270 and 180 degrees, run if no face was found.
        unsure_size: size of the passes over an uncertain face and its surroundings, upright and rotated. In a rotated
            photo without EXIF orientation the detector finds no face, or an upright face with low confidence and wrong
            landmarks.
        score: lowest confidence of a face.
        turned_score: lowest confidence of a face in a rotated photo; higher, because three rotations give three times
            the chance of a false detection.
        sure_score: confidence from which position and rotation of a face are trusted.
        confirm_below: the pack's face filter, if any, examines faces below this confidence. Detectors differ in the
            confidence at which they err, so the pack states it.
        turned_gain: smallest increase in confidence for which the rotated photo is preferred.
        least_score: the face filter also examines large faces from this confidence up to `score`.
        faint_face: share of the photo's longest side from which a face is large in that sense. Small patterns that
            resemble a face are far more frequent than large ones.
        most_candidates: largest number of large faces below `score` per pass, highest confidence first.
        most_confirmed: largest number of uncertain faces per pass that the face filter examines, largest first; smaller
            ones are dropped.
        most_located: largest number of faces whose landmarks are corrected, largest first: the compared face and those
            that may be its ghost portraits. Nothing depends on the landmarks of the others.
        landmark_looks: number of passes of the landmark network over the largest face. The pack states it, because the
            calibration curve depends on it.
        small_face_confirmation: lowest combined confidence of detector and face filter for an uncertain face that is
            not large. Photos of objects contain many small patterns.
    """

    coarse_size: int = 320
    size: int = 640
    large_face: float = 0.25
    small_face: float = 0.2
    close_up_size: int = 256
    small_face_size: int = 1280
    turned_size: int = 320
    unsure_size: int = 160
    score: float = 0.5
    turned_score: float = 0.6
    sure_score: float = 0.7
    confirm_below: float = 0.7
    turned_gain: float = 0.05
    least_score: float = 0.2
    faint_face: float = 0.15
    most_candidates: int = 6
    most_confirmed: int = 64
    most_located: int = 4
    landmark_looks: int = 1
    small_face_confirmation: float = 0.8
