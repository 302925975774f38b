"""From a dataset to the figures: marks, groups, failures to acquire, doubtful labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facematch_local.calibration import GENERIC, Calibration
from facematch_local.evaluation.verification.dataset import Dataset, read
from facematch_local.evaluation.verification.evaluate import evaluate
from facematch_local.evaluation.verification.scope import mark_threshold

CURVE = Calibration("straight", (0.0, 0.3, 0.45, 1.0), (0.0, 65.0, 75.0, 100.0))


def test_marks_agree_with_percents_counted_one_by_one(population: Callable[..., Any]) -> None:
    sample = population({"": 40, "alike": 10}, photos=3)
    evaluation = evaluate(sample.dataset, sample.embeddings, CURVE, replicates=20)
    matrix, subjects = sample.embeddings.matrix, sample.dataset.subjects
    first, second = np.triu_indices(len(matrix), 1)
    percents = np.array([CURVE.percent(float(matrix[i] @ matrix[j])) for i, j in zip(first, second, strict=True)])
    same = subjects[first] == subjects[second]
    for percent, matched in ((65, percents >= 65), (75, percents > 75)):
        point = evaluation.overall.mark(percent).point
        assert point.fmr == pytest.approx(matched[~same].mean())
        assert point.fnmr == pytest.approx(1 - matched[same].mean())
    assert evaluation.groups["alike"].people == 10
    worst = {item.percent: item for item in evaluation.differential}
    assert worst[65].worst_fmr_group == "alike"
    ratio = evaluation.groups["alike"].mark(65).point.fmr / evaluation.overall.mark(65).point.fmr
    assert worst[65].fmr_ratio == pytest.approx(ratio)
    assert ratio > 1.5


def test_photos_without_face_enter_the_generalised_rates(population: Callable[..., Any]) -> None:
    sample = population({"": 30}, photos=2)
    usable = sample.embeddings.usable.copy()
    usable[[0, 2]] = False
    unreadable = ~sample.embeddings.usable
    unreadable[5] = True
    usable[5] = False
    reasons = ["" if good else "no face found" for good in usable]
    broken = replace(sample.embeddings, usable=usable, unreadable=unreadable, reasons=reasons)
    evaluation = evaluate(sample.dataset, broken, CURVE, replicates=20)
    assert evaluation.fta == pytest.approx(2 / 59)
    mark = evaluation.overall.mark(65)
    # Requested: 30 mated pairs without the one with the unreadable file; two of those have a photo without a face.
    assert evaluation.overall.comparisons.mated.count == 27
    assert mark.gfnmr == pytest.approx(1 - (1 - mark.point.fnmr) * 27 / 29)
    # Of 59 readable photos 57 have a face: 57 * 56 / 2 - 27 of 59 * 58 / 2 - 29 non-mated pairs are completed.
    assert mark.point.fmr > 0
    assert mark.gfmr == pytest.approx(mark.point.fmr * (57 * 28 - 27) / (59 * 29 - 29))
    assert len(evaluation.problems) == 3


def test_the_same_file_under_two_names_is_left_out_and_named(population: Callable[..., Any]) -> None:
    sample = population({"": 30}, photos=2)
    content = sample.embeddings.content.copy()
    content[10] = content[0]  # another person
    content[21] = content[20]  # the same person
    evaluation = evaluate(sample.dataset, replace(sample.embeddings, content=content), CURVE, replicates=20)
    assert [problem.where for problem in evaluation.problems] == ["0.jpg", "10.jpg"]
    assert evaluation.copies == 1
    assert evaluation.fta == 0
    assert evaluation.overall.photos == 60 - 2 - 1


def test_no_figure_beyond_what_the_pairs_carry(population: Callable[..., Any]) -> None:
    sample = population({"": 30}, photos=2)  # 1740 non-mated pairs
    evaluation = evaluate(sample.dataset, sample.embeddings, CURVE, replicates=20)
    assert [target.supported for target in evaluation.overall.targets] == [True, False, False, False, False]
    assert np.isnan(evaluation.overall.target(1e-3).threshold)
    assert np.isnan(evaluation.overall.target(1e-3).tmr)


def test_a_list_gives_accuracy_by_its_folds(population: Callable[..., Any], tmp_path: Path) -> None:
    sample = population({"": 40}, photos=2)
    lines = ["path1,path2,same,fold"]
    for person in range(40):
        a, b, stranger = 2 * person, 2 * person + 1, (2 * person + 2) % 80
        lines += [f"{a}.jpg,{b}.jpg,1,{person // 10}", f"{a}.jpg,{stranger}.jpg,0,{person // 10}"]
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(lines), "utf-8")
    dataset = read([path])
    order = [int(photo.stem) for photo in dataset.photos]
    rows = replace(sample.embeddings, matrix=sample.embeddings.matrix[order])
    evaluation = evaluate(dataset, rows, GENERIC, replicates=20)
    assert evaluation.accuracy is not None
    assert (evaluation.accuracy.folds, evaluation.accuracy.given) == (4, True)
    assert evaluation.accuracy.mean > 0.95
    assert evaluation.overall.comparisons.non_mated.count == 40
    assert evaluation.copies == 0
    every = evaluate(dataset.with_all_pairs(), rows, GENERIC, replicates=20)
    assert every.overall.comparisons.non_mated.count == 80 * 79 // 2 - 40
    assert every.accuracy is None


def test_the_threshold_of_a_mark_is_where_the_printed_number_changes() -> None:
    for percent, low, high in ((65, 64.99, 65.0), (75, 75.0, 75.01)):
        threshold = mark_threshold(CURVE, percent)
        assert CURVE.percent(threshold + 1e-9) >= high - 1e-9
        assert CURVE.percent(threshold - 1e-6) <= low + 1e-9


def test_one_photo_is_nothing_to_compare(population: Callable[..., Any]) -> None:
    sample = population({"": 1}, photos=1)
    dataset = Dataset("one", sample.dataset.photos, sample.dataset.subjects, sample.dataset.groups)
    evaluation = evaluate(dataset, sample.embeddings, CURVE, replicates=20)
    assert np.isnan(evaluation.overall.mark(65).point.fmr)
    assert np.isnan(evaluation.overall.mark(65).fmr.high)
