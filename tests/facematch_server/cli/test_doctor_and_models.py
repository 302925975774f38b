"""`facematch doctor` and `facematch models`."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.fixture
def site(pack_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate installation: one good pack named `mine`, and an empty data folder."""
    for name in list(os.environ):
        if name.startswith("FACEMATCH_"):
            monkeypatch.delenv(name)
    shutil.copytree(pack_path, tmp_path / "models" / "mine")
    monkeypatch.setenv("FACEMATCH_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("FACEMATCH_PACK", "mine")
    monkeypatch.setenv("FACEMATCH_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("FACEMATCH_PORT", "0")
    monkeypatch.setenv("HOME", str(tmp_path))
    # Most tests spare the start of a decoder.
    monkeypatch.setenv("FACEMATCH_DECODE_PROCESSES", "0")
    return tmp_path


def every_finding_has_a_next_step(report: str) -> bool:
    lines = report.splitlines()
    found = [number for number, line in enumerate(lines) if line.startswith(("wrong  ", " note  "))]
    return bool(found) and all(lines[number + 1].startswith("       next: ") for number in found)


def break_a_file(site: Path) -> None:
    path = next((site / "models" / "mine").glob("*.onnx"))
    path.write_bytes(path.read_bytes()[:1000])


def test_all_is_well(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACEMATCH_DECODE_PROCESSES")
    completed = facematch("doctor")
    assert completed.code == 0, completed.out
    for part in ("CPUs: ", "affinity", "cgroup quota", "execution providers: ", "CPUExecutionProvider", "HEIF", "mine"):
        assert part in completed.out
    *groups, end = completed.out.rstrip().split("\n\n")
    assert end == "No problems found."
    assert [group.splitlines()[0] for group in groups] == ["Machine", "Installation", "Models", "Service"]
    for group in groups:
        assert all(line.startswith("   ok  ") for line in group.splitlines()[1:])  # long ones are not folded


def test_a_broken_pack(facematch: Command, site: Path) -> None:
    break_a_file(site)
    completed = facematch("doctor")
    assert completed.code == 1
    assert "wrong  pack in use, mine: " in completed.out
    assert ".onnx: " in completed.out
    assert every_finding_has_a_next_step(completed.out)


def test_no_pack(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMATCH_PACK", "absent")
    completed = facematch("doctor")
    assert completed.code == 1
    assert "no model pack 'absent'" in completed.out
    assert "       next: choose an installed pack with FACEMATCH_PACK" in completed.out


def test_a_policy_of_an_older_version(facematch: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMATCH_DECODE_PROCESSES", "0")
    assert "policy: version" in facematch("doctor").out
    path = tmp_path / "policy.toml"
    path.write_text('version = "12"\n[portrait]\n[card.document_colour]\ncode = 2\nmin = 0.034\n')
    monkeypatch.setenv("FACEMATCH_POLICY", str(path))
    completed = facematch("doctor")
    assert completed.code == 1
    assert "card.document_colour is not a check; write card.photocopy" in completed.out.replace("\n", " ")


@pytest.mark.parametrize("command", ["doctor", "serve"])
def test_a_misspelt_variable(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("FACEMATCH_WIRE_PROFIL", "observed")
    completed = facematch(command)
    assert completed.code == (1 if command == "doctor" else 2)
    said = "FACEMATCH_WIRE_PROFIL: unknown setting, did you mean FACEMATCH_WIRE_PROFILE?"
    assert said in completed.out + completed.err
    assert "settings: valid" not in completed.out


def test_too_many_threads(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "100000")
    completed = facematch("doctor")
    assert completed.code == 1
    assert "wrong  OMP_NUM_THREADS: 100000, more than the" in completed.out
    assert "       next: unset OMP_NUM_THREADS\n" in completed.out
    assert completed.out.rstrip().endswith("1 problem found. Begin with the first one above.")


def test_a_failing_part_is_told_and_the_rest_goes_on(
    facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OSError("no such luck")

    monkeypatch.setattr("facematch_local.cpu.cpu_budget", broken)
    completed = facematch("doctor")
    assert completed.code == 1
    assert "wrong  cpus: OSError: no such luck" in completed.out
    assert "pack in use, mine" in completed.out
    assert every_finding_has_a_next_step(completed.out)


def test_a_port_that_is_taken_is_a_note(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("FACEMATCH_PORT", str(port))
        completed = facematch("doctor")
    assert completed.code == 0, completed.out
    assert f" note  port: cannot listen on 127.0.0.1:{port}: another program uses this port" in completed.out
    assert "       next: if that is not this service: choose another: `" in completed.out


@pytest.mark.parametrize(
    ("name", "value", "about"),
    [
        ("FACEMATCH_HOST", "203.0.113.7", "port"),
        ("FACEMATCH_POLICY", "absent.toml", "policy"),
        ("FACEMATCH_THREADS", "many", "settings"),
        ("FACEMATCH_DATABASE_URL", "postgresql://someone:secret@127.0.0.1:1/facematch", "database"),
    ],
)
def test_each_problem_has_a_next_step(
    facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, about: str
) -> None:
    monkeypatch.setenv(name, value)
    completed = facematch("doctor")
    assert completed.code == 1
    assert f"wrong  {about}: " in completed.out
    assert every_finding_has_a_next_step(completed.out)


def test_a_notice_is_no_fault_but_marked(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from facematch_local import packs

    notice = (
        "the pack 'standard' is not installed (no index), so 'mine' is in use; `facematch models add standard` gets it"
    )
    found = replace(packs.find_pack("mine"), notice=notice)
    monkeypatch.setattr("facematch_local.packs.installed.find_pack", lambda *_: found)
    completed = facematch("doctor")
    assert completed.code == 0, completed.out
    assert f" note  pack in use: {notice}" in completed.out.splitlines()
    assert "No problems found. 1 note." in completed.out
    assert every_finding_has_a_next_step(completed.out)
    # It says already that the pack is missing.
    assert "pack: standard: not installed" not in completed.out


def test_models_list_tells_of_packs_that_cannot_be_used(facematch: Command, site: Path) -> None:
    shutil.copytree(site / "models" / "mine", site / "models" / "other")
    for path in (site / "models" / "other").glob("*.onnx"):
        path.write_bytes(b"")
    completed = facematch("models", "list")
    assert completed.code == 0
    assert "cannot be used: " in completed.out
    assert "the file is empty" in completed.out


def test_models_verify(facematch: Command, site: Path) -> None:
    completed = facematch("models", "verify", "mine")
    assert completed.code == 0
    assert "models open" in completed.out
    break_a_file(site)
    completed = facematch("models", "verify", "mine")
    assert completed.code == 2
    assert completed.err.startswith("facematch: ")
    assert completed.err.count("\n") == 1


def test_the_service_is_looked_at(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("facematch_server.settings")
    assert "the first start will create it" in facematch("doctor").out
    assert not (site / "data").exists(), "a diagnosis leaves nothing behind"
    monkeypatch.setenv("FACEMATCH_DATABASE_URL", "postgresql://someone:secret@127.0.0.1:1/facematch")
    completed = facematch("doctor")
    assert completed.code == 1
    assert "wrong  database: " in completed.out
    assert "secret" not in completed.out
    monkeypatch.setenv("FACEMATCH_PORT", "99999999")
    completed = facematch("doctor")
    assert completed.code == 1
    assert "FACEMATCH_PORT" in completed.out


def test_serve_names_the_wrong_setting(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("facematch_server.settings")
    monkeypatch.setenv("FACEMATCH_QUEUE_SIZE", "many")
    completed = facematch("serve")
    assert completed.code == 2
    assert completed.err.startswith("facematch: wrong settings: FACEMATCH_QUEUE_SIZE: ")
    assert completed.err.count("\n") == 1


def lines_about(report: str, part: str) -> list[str]:
    lines = report.splitlines()
    return [line + " " + lines[at + 1] for at, line in enumerate(lines[:-1]) if part in line]


def test_execution_providers(facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "   ok  execution provider in use: cpu" in facematch("doctor").out
    monkeypatch.setenv("FACEMATCH_PROVIDERS", "directml,coreml,cpu")
    completed = facematch("doctor")
    assert completed.code == 0
    assert "   ok  execution provider in use: cpu" in completed.out
    notes = lines_about(completed.out, " note  execution provider directml: not used: not in onnxruntime")
    assert len(notes) == 1
    assert notes[0].endswith("next: do what the message says, or leave directml out of FACEMATCH_PROVIDERS")


@pytest.mark.parametrize(
    ("variables", "said", "step"),
    [
        ({"PROVIDERS": "nonsense"}, "unknown execution provider 'nonsense'", "correct FACEMATCH_PROVIDERS"),
        ({"PROVIDERS": "directml"}, "no execution provider of directml can be used", "FACEMATCH_PROVIDERS=auto or cpu"),
        (
            {"PROVIDERS": "auto", "PROVIDER_CACHE": "/nowhere"},
            "/nowhere: is not a folder that this user can write",
            "FACEMATCH_PROVIDER_CACHE; docs/settings.md",
        ),
    ],
)
def test_wrong_execution_providers(
    facematch: Command,
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    said: str,
    step: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"FACEMATCH_{name}", value)
    completed = facematch("doctor")
    assert completed.code == 1
    (line,) = lines_about(completed.out, "wrong  execution provider in use: ")
    assert said in line
    assert step in line


def test_workers_do_not_inherit_other_providers(
    facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEMATCH_WORKERS", "2")
    assert "   ok  workers: 2" in facematch("doctor").out
    monkeypatch.setenv("FACEMATCH_PROVIDERS", "directml,cpu")
    completed = facematch("doctor")
    assert completed.code == 1
    (line,) = lines_about(completed.out, "wrong  workers: ")
    assert "needs FACEMATCH_WORKERS=1" in line


def test_packages_of_onnx_runtime_that_overwrite_each_other(
    facematch: Command, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facematch_local.providers import installation

    monkeypatch.setattr(installation, "_packages", lambda: ("onnxruntime 1.32.0", "onnxruntime-openvino 1.24.1"))
    monkeypatch.setenv("FACEMATCH_PROVIDERS", "openvino,cpu")
    completed = facematch("doctor")
    assert completed.code == 1
    (line,) = lines_about(completed.out, "wrong  ONNX Runtime: ")
    assert "onnxruntime 1.32.0 and onnxruntime-openvino 1.24.1 share a folder" in line
    assert "`pip uninstall -y onnxruntime onnxruntime-openvino`, then `pip install onnxruntime-openvino`" in line
