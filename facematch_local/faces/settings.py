"""How faces are looked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """How faces are looked for; sizes are the longest side in pixels that the photo is scaled to.

    Attributes:
        coarse_size: first look. Enough for selfies and tight crops, and kinder to them than a larger
            size, at which a face that fills the frame outgrows the detector's anchors.
        size: second look, when the largest face is not large in the first one: cards, groups.
        large_face: share of the photo's longest side from which the first look is enough.
        close_up_size: third look, with a margin all around, when nothing was found so far: faces that
            reach beyond the frame.
        small_face_size: fourth look, for photos that have the resolution: small portraits on large scans.
        turned_size: looks at the photo turned by 90, 270 and 180 degrees, when nothing was found.
        unsure_size: looks at an unsure face and what is around it, as it is and turned. Photos may lie on
            their side and have lost their EXIF orientation: there the detector finds nothing, or with
            little confidence an upright face with wrong landmarks.
        score: faces below this confidence do not count.
        turned_score: the same for turned photos, which give three times the chances for a false find.
        sure_score: a face of this confidence is where and how it seems to be.
        confirm_below: faces below this confidence are shown to the pack's face filter, if it has one. The confidence at
            which a detector errs differs from detector to detector, so a pack states it.
        turned_gain: by how much a face must be surer in the turned photo for that to be preferred.
        least_score: large faces of this confidence and more are shown to the face filter as well.
        faint_face: share of the photo's longest side from which a face counts as large for that. There are far more
            small things than large ones that look a little like a face.
        most_candidates: as many large faces below `score` of a look, the surest first.
        most_confirmed: as many of a look, the largest first, are shown to the face filter; the smaller ones do
            not count.
        most_located: the landmark network looks at as many faces, the largest first. Picture sheets of a thousand faces
            would cost a second, for landmarks that nothing asks for.
        landmark_looks: so many times the landmark network looks at the largest face. It belongs to the pack, since the
            calibration curve is made with it.
        small_face_confirmation: confidence of detector and face filter together from which a face that is not
            large counts, where the detector alone is unsure. Photos of things are full of small patterns.
    """

    coarse_size: int = 320
    size: int = 640
    large_face: float = 0.25
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
    most_located: int = 32
    landmark_looks: int = 1
    small_face_confirmation: float = 0.8
