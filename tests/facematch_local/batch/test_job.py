"""Whole runs with a stub examiner: equal to the plain loop, resumed without loss, refused where they cannot go on."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from facematch_local.batch.engine import FailedRowError
from tests.facematch_local.batch.job_steps import Inline, Watching, do, expected, job_of


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_run_is_the_plain_loop(tmp_path: Path, write_list: Callable[..., Path], suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    pairs = write_list(60)
    watcher, pool = Watching(), Inline()
    summary = do(job_of(pairs, "out" + suffix), pool, watcher)
    assert (tmp_path / ("out" + suffix)).read_bytes() == expected(pairs, tmp_path / ("plain" + suffix))
    assert (watcher.total, watcher.finished, len(watcher.outcomes)) == (60, 0, 60)
    assert summary.tally.rows == 60
    assert summary.tally.errors == {"undecodable": 6, "missing_file": 5}
    # Ten photos, one that is damaged, one without a face; each once.
    assert len(pool.examined) == 12
    assert set(pool.examined.values()) == {1}
    # Nothing else stays.
    names = {"pairs.csv", "photos", "plain" + suffix, "out" + suffix, f"out{suffix}.run.json"}
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize("settings", [{"chunk": 1}, {"chunk": 1000}, {"kept": 2, "jobs": 1}])
def test_chunks_and_memory_change_nothing(
    tmp_path: Path, write_list: Callable[..., Path], settings: dict[str, int]
) -> None:
    pairs = write_list(60)
    do(job_of(pairs, **settings))
    assert (tmp_path / "out.csv").read_bytes() == expected(pairs, tmp_path / "plain.csv")


def test_the_record_beside_the_result(tmp_path: Path, write_list: Callable[..., Path]) -> None:
    pairs = write_list(22)
    do(job_of(pairs))
    record = json.loads((tmp_path / "out.csv.run.json").read_text("utf-8"))
    assert record["input"]["rows"] == record["counts"]["rows"] == 22
    assert record["settings"]["pack"] == "stub 1"
    assert sum(record["counts"]["verdicts"].values()) + sum(record["counts"]["errors"].values()) == 22
    assert sum(record["counts"]["percents"]) == 18


def test_a_list_without_rows(tmp_path: Path, write_list: Callable[..., Path]) -> None:
    do(job_of(write_list(0)))
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1


def test_a_sample_is_a_choice_of_rows_in_their_order(tmp_path: Path, write_list: Callable[..., Path]) -> None:
    pairs = write_list(60)

    def ids(out: str, seed: int) -> list[int]:
        do(job_of(pairs, out, sample=20, seed=seed))
        with (tmp_path / out).open(newline="") as stream:
            return [int(row["id"]) for row in csv.DictReader(stream)]

    first = ids("a.csv", 1)
    assert len(first) == 20
    assert first == sorted(set(first))
    assert first == ids("b.csv", 1)
    assert first != ids("c.csv", 2)


def test_fail_fast_stops_at_a_row_without_a_result(write_list: Callable[..., Path]) -> None:
    job = job_of(write_list(60), fail_fast=True)
    with pytest.raises(FailedRowError) as raised:
        do(job)
    assert raised.value.outcome.fault is not None
    assert not job.out.exists()
    assert do(replace(job, fail_fast=False, resume=True)).tally.failed == 11


def test_no_secret_of_a_url_is_written(tmp_path: Path, write_list: Callable[..., Path]) -> None:
    pairs = write_list(0)
    with pairs.open("a") as stream:
        stream.write("nosuch://me:SECRET@host/a?SECRET,nosuch://host/b#SECRET,card\n")
        stream.write("a.jpg,nosuch://me:SECRET@host/a?SECRET,both\n")
    watcher = Watching()
    do(job_of(pairs, root="nosuch://me:SECRET@host/?SECRET"), None, watcher)
    written = b"".join(path.read_bytes() for path in tmp_path.glob("out*"))
    assert b"SECRET" not in written
    assert b"nosuch://host/a" in written
    assert "SECRET" not in repr(watcher.outcomes)
