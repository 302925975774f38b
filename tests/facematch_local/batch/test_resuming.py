"""Runs that were interrupted or changed: resumed, refused, kept out, killed."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from facematch_local.batch.job import Job
from facematch_local.batch.parts import Parts
from facematch_local.batch.rows import Outcome
from facematch_local.errors import FacematchError
from tests.facematch_local.batch.job_steps import DRIVER, ROOT, Inline, Watching, do, drive, expected, job_of


class DiskFullError(OSError):
    """As the system raises it."""

    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("error", "raised"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (FacematchError("no memory"), FacematchError)],
)
def test_resume(
    tmp_path: Path, write_list: Callable[..., Path], error: BaseException, raised: type[BaseException]
) -> None:
    pairs = write_list(60, 40)
    job = job_of(pairs)
    with pytest.raises(raised):
        do(job, Inline(35, error))
    assert not job.out.exists()
    finished = job.parts.finished()
    assert finished
    with pytest.raises(FacematchError, match="an unfinished run; go on with --resume"):
        do(job)
    pool, watcher = Inline(), Watching()
    summary = do(replace(job, resume=True), pool, watcher)
    assert job.out.read_bytes() == expected(pairs, tmp_path / "plain.csv")
    # Nothing finished is done again. The last chunk, of 4 rows, may have finished before an earlier one.
    assert watcher.finished == summary.resumed == sum(min(7, 60 - 7 * number) for number in finished)
    assert len(watcher.outcomes) == 60 - watcher.finished
    assert not job.parts.folder.exists()


def test_a_full_disk_stops_the_run_and_it_goes_on_later(
    tmp_path: Path, write_list: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = write_list(60)
    job, whole = job_of(pairs), Parts.write

    def full(parts: Parts, number: int, outcomes: Sequence[Outcome]) -> None:
        if number == 3:
            raise DiskFullError
        whole(parts, number, outcomes)

    with monkeypatch.context() as patch:
        patch.setattr(Parts, "write", full)
        with pytest.raises(FacematchError, match=r"\(No space left on device\); finished parts stay for --resume"):
            do(job)
    # Two chunks are in work at a time.
    assert len(job.parts.finished()) >= 2
    do(replace(job, resume=True))
    assert job.out.read_bytes() == expected(pairs, tmp_path / "plain.csv")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="the system has no limit on the size of files")
def test_a_real_limit_of_the_system_on_written_bytes(tmp_path: Path, write_list: Callable[..., Path]) -> None:
    pairs = write_list(60)
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700)); "
    command = limit + "from tests.facematch_local.batch import driver; driver.main()"
    # Without -B, Python would write cut off modules into the cache, which later runs could not read.
    completed = drive(pairs, ["-B", "-c", command])
    assert completed.returncode == 1
    assert b"FacematchError: " in completed.stderr
    assert b"(File too large); finished parts stay for --resume" in completed.stderr
    assert drive(pairs).returncode == 0
    assert (tmp_path / "out.csv").read_bytes() == expected(pairs, tmp_path / "plain.csv")


def test_changes_between_the_runs_are_refused(write_list: Callable[..., Path]) -> None:
    pairs = write_list(60, 40)
    job = job_of(pairs)
    with pytest.raises(KeyboardInterrupt):
        do(job, Inline(35, KeyboardInterrupt()))
    resumed = replace(job, resume=True)
    for changed, setting in (({"chunk": 8}, "chunk"), ({"root": "/"}, "root"), ({"sample": 5}, "sample, seed")):
        with pytest.raises(FacematchError, match=rf"other settings \({setting}\)"):
            do(replace(resumed, **changed))  # type: ignore[arg-type]
    with pytest.raises(FacematchError, match=r"other settings \(pack\)"):
        do(resumed, Inline(pack="stub 2"))
    before = pairs.read_bytes()
    pairs.write_bytes(before + b"photos/1.jpg,photos/2.jpg,card\n")
    with pytest.raises(FacematchError, match="is not the list that the interrupted run began with"):
        do(resumed)
    pairs.write_bytes(before)
    do(resumed)


def test_after_the_end_resume_says_what_came_of_it(write_list: Callable[..., Path]) -> None:
    job = job_of(write_list(60))
    summary = do(job)
    content = job.out.read_bytes()
    # As if the process was killed before it could clean up.
    job.parts.start(summary.record)
    again, pool = replace(job, resume=True), Inline()
    assert do(again, pool).tally.as_data() == summary.tally.as_data()
    assert not pool.examined
    assert not job.parts.folder.exists()
    assert job.out.read_bytes() == content
    with pytest.raises(FacematchError, match="exists; delete it or choose another name"):
        do(job)
    with pytest.raises(FacematchError, match="other settings"):
        do(replace(again, chunk=9))


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"input": 1, "settings": 1}'])
def test_a_damaged_record(write_list: Callable[..., Path], content: str) -> None:
    job = job_of(write_list(5))
    do(job)
    job.record.write_text(content)
    with pytest.raises(FacematchError):
        do(replace(job, resume=True))


def test_a_damaged_manifest(write_list: Callable[..., Path]) -> None:
    job = job_of(write_list(5), resume=True)
    job.parts.start({"settings": 1})
    with pytest.raises(FacematchError, match="is not the list"):
        do(job)


def test_a_foreign_file_is_not_overwritten(write_list: Callable[..., Path]) -> None:
    job = job_of(write_list(5), resume=True)
    job.out.write_text("mine")
    with pytest.raises(FacematchError, match="is not a result of this command"):
        do(job)
    assert job.out.read_text() == "mine"


@pytest.mark.parametrize("content", ["", "{}\n", "no json\n"])
def test_a_damaged_part_is_found(write_list: Callable[..., Path], content: str) -> None:
    job = job_of(write_list(60, 40))
    with pytest.raises(KeyboardInterrupt):
        do(job, Inline(35, KeyboardInterrupt()))
    part = job.parts.folder / "part-00000000.jsonl"
    part.write_text(content)
    with pytest.raises(FacematchError, match=r"part-00000000.jsonl: damaged; delete it and run again"):
        do(replace(job, resume=True))
    part.unlink()
    do(replace(job, resume=True))


def test_a_second_run_is_kept_out(write_list: Callable[..., Path]) -> None:
    pytest.importorskip("fcntl")
    job = job_of(write_list(5))
    with job.parts.locked(), pytest.raises(FacematchError, match="another run works in this folder"):
        do(job)


def kills(pairs: Path, count: int, start: Callable[[], subprocess.Popen[bytes]]) -> Iterator[int]:
    """Kill a run `count` times while it works; gives the number of finished parts each time."""
    generator = random.Random(count)  # noqa: S311
    parts = Job(pairs, pairs.with_name("out.csv"), "", 1).parts
    for _ in range(count):
        process = start()
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"begin")
        time.sleep(generator.uniform(0.0, 0.4))
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        process.wait()
        # The processes that examine photos end with the one that started them.
        assert not psutil.wait_procs(children, timeout=30)[1]
        process.stdout.close()
        yield len(parts.finished()) if parts.folder.exists() else -1


@pytest.mark.slow
def test_kill_9(tmp_path: Path, write_list: Callable[..., Path]) -> None:
    count = 6
    pairs = write_list(60 * count)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, *DRIVER, str(pairs), str(tmp_path / "out.csv"), "0.02"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    finished = list(kills(pairs, count, start))
    assert finished == sorted(finished), "a finished part was lost"
    assert drive(pairs).returncode == 0
    assert (tmp_path / "out.csv").read_bytes() == expected(pairs, tmp_path / "plain.csv")
