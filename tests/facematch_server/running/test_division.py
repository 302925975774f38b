"""What each worker gets of the machine."""

from __future__ import annotations

import sys

import pytest

from facematch_local.cpu import available_cpus
from facematch_server.running.division import lacking, part_of, with_inheritable_providers
from facematch_server.running.listening import StartError
from facematch_server.settings import Settings


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_the_parts_add_up(workers: int) -> None:
    whole = Settings(workers=workers, threads=9, queue_size=32, max_connections=1000, decode_processes=11)
    parts = [part_of(whole, number) for number in range(workers)]
    for name in ("threads", "queue_size", "max_connections", "decode_processes"):
        values = [getattr(part, name) for part in parts]
        assert sum(values) == getattr(whole, name)
        assert max(values) - min(values) <= 1
    assert {part.database_connections for part in parts} == {whole.database_connections}


def test_no_worker_goes_without_a_thread() -> None:
    whole = Settings(workers=8, threads=2, max_connections=3, decode_processes=1)
    for number in range(8):
        part = part_of(whole, number)
        assert (part.threads, part.decode_processes) == (1, 1)
        assert part.max_connections == 1


@pytest.mark.parametrize("asked", [None, 0])
def test_decoders_as_many_as_threads_or_none_stay_so(asked: int | None) -> None:
    assert part_of(Settings(workers=2, decode_processes=asked), 1).decode_processes == asked


def test_without_a_number_the_cpus_are_divided() -> None:
    parts = [part_of(Settings(workers=2), number).threads for number in range(2)]
    assert sum(parts) == max(available_cpus(), 2)


@pytest.mark.parametrize(("platform", "lacks"), [("linux", False), ("darwin", True), ("win32", True)])
def test_systems_that_cannot_fork_say_why(monkeypatch: pytest.MonkeyPatch, platform: str, lacks: bool) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert (lacking() is not None) == lacks


def test_several_workers_are_refused_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from facematch_server.running import workers

    monkeypatch.setattr(workers, "lacking", lambda: "this system cannot fork a process")
    monkeypatch.setattr(workers, "prepare_process", lambda settings: None)
    assert workers.serve_with_workers(Settings(workers=2)) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "FACEMATCH_WORKERS" in printed
    assert "cannot fork" in printed


def test_workers_inherit_only_what_runs_on_the_cpu() -> None:
    for asked in (("cpu",), ("cpu", "cuda")):
        settings = Settings(workers=2, providers=asked)
        assert with_inheritable_providers(settings) is settings
    assert with_inheritable_providers(Settings(workers=2, providers=("auto",))).providers == ("cpu",)
    with pytest.raises(StartError, match="FACEMATCH_PROVIDERS=openvino,cpu needs FACEMATCH_WORKERS=1"):
        with_inheritable_providers(Settings(workers=2, providers=("openvino", "cpu")))


def test_a_start_with_workers_and_another_provider_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from facematch_server.running import workers

    monkeypatch.setattr(workers, "lacking", lambda: None)
    monkeypatch.setattr(workers, "prepare_process", lambda settings: None)
    assert workers.serve_with_workers(Settings(workers=2, providers=("openvino",))) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("facematch: cannot start: FACEMATCH_PROVIDERS=openvino needs FACEMATCH_WORKERS=1")
    assert printed.count("\n") == 1
