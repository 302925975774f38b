"""`facematch batch` on real photos."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from facematch_local.batch.engine import FailedRowError
from facematch_local.batch.rows import Fault, Outcome, RowError
from facematch_local.cli import batch

if TYPE_CHECKING:
    from facematch_local.matcher import FaceMatcher

Command = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path, astronaut_jpeg: bytes, group_photo_jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos, some of them bad, and `pairs.csv` with seven rows of which three have a result."""
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "astronaut.jpg").write_bytes(astronaut_jpeg)
    (photos / "group.jpg").write_bytes(group_photo_jpeg)
    (photos / "broken.jpg").write_bytes(astronaut_jpeg[:5000])
    (photos / "empty.jpg").write_bytes(b"")
    rows = [
        ("astronaut.jpg", "astronaut.jpg", "portrait"),
        ("astronaut.jpg", "group.jpg", "card"),
        ("group.jpg", "astronaut.jpg", ""),
        ("broken.jpg", "astronaut.jpg", "card"),
        ("astronaut.jpg", "empty.jpg", "card"),
        ("absent.jpg", "astronaut.jpg", "card"),
        ("astronaut.jpg", "astronaut.jpg", "passport"),
    ]
    write(tmp_path / "pairs.csv", rows)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, rows: list[tuple[str, str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("path1", "path2", "type1"), *rows])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.slow
def test_every_row_ends_with_the_result_of_a_match_or_an_error(
    facematch: Command, folder: Path, pack_path: Path, matcher: FaceMatcher
) -> None:
    arguments = ("--root", "photos", "--pack", pack_path, "--jobs", 1, "--html", "report.html")
    completed = facematch("batch", "pairs.csv", "-o", "out.csv", *arguments)
    assert completed.code == 1
    assert completed.out == ""
    assert "7 rows in out.csv: match 1, unsure 0, no match 2" in completed.err
    assert "rows without a result: bad_row 1, empty 1, missing_file 1, undecodable 1" in completed.err
    rows = read(folder / "out.csv")
    assert [row["error"] for row in rows] == ["", "", "", "undecodable", "empty", "missing_file", "bad_row"]
    for row in rows[:3]:
        photos = [(folder / "photos" / row[name]).read_bytes() for name in ("path1", "path2")]
        result = matcher.match(*photos, type1=row["type1"])
        assert row["percent"] == f"{result.percent:.2f}"
        assert row["verdict"] == result.verdict.name.lower()
        assert row["warning"] == str(int(result.warning))
        assert row["warnings"] == " ".join(str(int(code)) for code in result.warnings)
    record = json.loads((folder / "out.csv.run.json").read_text("utf-8"))
    assert record["settings"]["policy"] == matcher.policy.version
    assert record["settings"]["calibration"] == matcher.pack.calibration.id
    report = (folder / "report.html").read_text("utf-8")
    for part in ("7 of 7 in the list", "undecodable", "Photo contains more than one face", "<svg", "33.33 %"):
        assert part in report
    assert "astronaut" not in report


@pytest.mark.slow
def test_all_rows_with_a_result_give_exit_code_0(facematch: Command, folder: Path, pack_path: Path) -> None:
    write(folder / "good.csv", [("photos/astronaut.jpg", "photos/group.jpg", "portrait")])
    completed = facematch("batch", "good.csv", "-o", "out.jsonl", "--pack", pack_path, "--jobs", 1)
    assert completed.code == 0
    record = json.loads((folder / "out.jsonl").read_text("utf-8"))
    assert record["verdict"] == "no_match"
    assert 6 in record["warnings"]


@pytest.mark.slow
def test_a_finished_run_may_be_resumed(facematch: Command, folder: Path, pack_path: Path) -> None:
    write(folder / "good.csv", [("photos/astronaut.jpg", "photos/group.jpg", "portrait")])
    arguments = ("batch", "good.csv", "-o", "out.jsonl", "--pack", pack_path, "--jobs", 1)
    assert facematch(*arguments).code == 0
    before = (folder / "out.jsonl").read_bytes()
    assert facematch(*arguments, "--resume").code == 0
    assert (folder / "out.jsonl").read_bytes() == before


@pytest.mark.slow
def test_fail_fast(facematch: Command, folder: Path, pack_path: Path) -> None:
    arguments = ("--root", "photos", "--pack", pack_path, "--jobs", 1, "--fail-fast")
    completed = facematch("batch", "pairs.csv", "-o", "out.csv", *arguments)
    assert completed.code == 1
    assert completed.err.startswith("stopped: row ")
    assert "run the same command with --resume to go on" in completed.err
    assert not (folder / "out.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent.csv", "-o", "out.csv"), "facematch: absent.csv: No such file or directory"),
        (("pairs.csv", "-o", "out.txt"), "facematch: out.txt: the name must end with .csv, "),
        (("pairs.csv", "-o", "no/out.csv"), "facematch: no/out.csv: the folder "),
        (("pairs.csv", "-o", "pairs.csv"), "facematch: pairs.csv: exists; delete it or choose another name"),
        (("pairs.csv", "-o", "out.csv", "--pack", "absent"), "facematch: no model pack 'absent'"),
        (("pairs.csv", "-o", "out.csv", "--policy", "absent.toml"), "facematch: absent.toml: cannot be read"),
        (("pairs.csv", "-o", "out.csv", "--html", "no/report.html"), "facematch: no/report.html: the folder "),
        (("photos", "-o", "out.csv"), "facematch: photos: the name must end with .csv, "),
    ],
)
def test_what_stops_a_run(
    facematch: Command, folder: Path, pack_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    pack = () if "--pack" in arguments else ("--pack", pack_path)
    completed = facematch("batch", *arguments, *pack, "--jobs", 1)
    assert completed.code == 2
    assert completed.err.startswith(message)
    assert completed.err.count("\n") == 1
    assert {path.name for path in folder.iterdir()} == {"photos", "pairs.csv"}


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted; "),
        (
            FailedRowError(Outcome("four", "a", "b", "card", fault=Fault(RowError.UNDECODABLE, "damaged"))),
            1,
            "stopped: row four: undecodable: damaged; ",
        ),
    ],
)
def test_a_run_that_stops_says_how_to_go_on(
    facematch: Command, folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def stop(*_: object) -> None:
        raise error

    monkeypatch.setattr(batch, "_run", stop)
    completed = facematch("batch", "pairs.csv", "-o", "out.csv")
    assert completed.code == code
    assert completed.err == f"{said}run the same command with --resume to go on\n"


def test_without_pyarrow(facematch: Command, folder: Path, pack_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    completed = facematch("batch", "pairs.csv", "-o", "out.parquet", "--pack", pack_path)
    assert completed.code == 2
    assert completed.err == "facematch: Parquet needs pyarrow: pip install 'facematch-local[parquet]'\n"


def start(folder: Path, pack_path: Path, rows: int, *more: str) -> subprocess.Popen[str]:
    """Start a run of many rows, each with a photo of its own, one row a part."""
    photo = (folder / "photos" / "astronaut.jpg").read_bytes()
    for row in range(rows):
        comment = str(row).encode()
        (folder / "photos" / f"{row}.jpg").write_bytes(
            photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2) + comment + photo[2:]
        )
    write(folder / "many.csv", [(f"{row}.jpg", "astronaut.jpg", "portrait") for row in range(rows)])
    return resume(folder, pack_path, "out.csv", *more)


def resume(folder: Path, pack_path: Path, out: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "facematch_server", "batch", "many.csv", "-o", out, "--chunk", "1"]
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "server")))
    return subprocess.Popen(  # noqa: S603
        [*command, "--root", "photos", "--pack", str(pack_path), "--jobs", "1", "--resume", *more],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_parts(process: subprocess.Popen[str], folder: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if len(list(folder.glob("out.csv.parts/part-*.jsonl"))) >= count:
            return
        time.sleep(0.01)
    raise AssertionError(process.communicate(timeout=10)[1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c(folder: Path, pack_path: Path) -> None:
    process = start(folder, pack_path, 300)
    wait_for_parts(process, folder, 2)
    # As a terminal does: to all processes of the run.
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == "interrupted; run the same command with --resume to go on\n"
    assert len(list(folder.glob("out.csv.parts/part-*.jsonl"))) >= 2


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_ten_kills_change_nothing(folder: Path, pack_path: Path) -> None:
    process = start(folder, pack_path, 120)
    finished = 0
    for _ in range(10):
        wait_for_parts(process, folder, finished + 3)
        process.kill()
        process.communicate()
        parts = len(list(folder.glob("out.csv.parts/part-*.jsonl")))
        assert parts >= finished
        finished = parts
        process = resume(folder, pack_path, "out.csv")
    assert process.wait(120) == 0
    undisturbed = resume(folder, pack_path, "undisturbed.csv")
    assert undisturbed.wait(120) == 0
    assert (folder / "out.csv").read_bytes() == (folder / "undisturbed.csv").read_bytes()
