"""Options of the service."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from facematch_server.settings import Settings, is_loopback, problems, unknown_variables
from facematch_server.settings_page import settings_table

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("FACEMATCH_")]:
        monkeypatch.delenv(name)


def test_the_page_of_options_is_current() -> None:
    """Write it anew with `python -m facematch_server.settings_page > docs/settings.md`."""
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == settings_table()


def test_every_option_is_described() -> None:
    assert all(len(field.description or "") > 20 for field in Settings.model_fields.values())


def test_options_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMATCH_PORT", "9000")
    monkeypatch.setenv("FACEMATCH_CORS_ORIGINS", "https://a.example, https://b.example")
    monkeypatch.setenv("FACEMATCH_URL_ALLOW", "")
    settings = Settings()
    assert settings.port == 9000
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.url_allow == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "70000"), ("WIRE_PROFILE", "other"), ("AUTH_FAILURE_STATUS", "403"), ("DEADLINE_SECONDS", "0")],
)
def test_wrong_values_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"FACEMATCH_{name}", value)
    with pytest.raises(ValidationError):
        Settings()


def test_execution_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().providers == ("cpu",)
    for text, names in (("", ("cpu",)), ("OpenVINO, cpu", ("openvino", "cpu")), ("auto", ("auto",))):
        monkeypatch.setenv("FACEMATCH_PROVIDERS", text)
        assert Settings().providers == names
    monkeypatch.setenv("FACEMATCH_PROVIDERS", "opnvino")
    with pytest.raises(ValidationError) as caught:
        Settings()
    (line,) = problems(caught.value)
    assert line.startswith("FACEMATCH_PROVIDERS: unknown execution provider 'opnvino'; known are auto, cpu, openvino")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("FACEMATCH_WIRE_PROFIL", "did you mean FACEMATCH_WIRE_PROFILE?"),
        (
            "facematch_databse_url",
            "FACEMATCH_DATABSE_URL: unknown setting, did you mean FACEMATCH_DATABASE_URL?",
        ),
        ("FACEMATCH_SOMETHING_ELSE", "FACEMATCH_SOMETHING_ELSE: unknown setting"),
    ],
)
def test_a_misspelt_variable_is_an_error_that_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv(name, "postgresql://user:hunter2@host/db")
    with pytest.raises(ValidationError) as raised:
        Settings()
    (problem,) = problems(raised.value)
    assert said in problem
    assert ("did you mean" in problem) == ("did you mean" in said)
    assert "hunter2" not in problem + str(raised.value)


def test_a_wrong_value_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMATCH_PORT", "hunter2")
    monkeypatch.setenv("FACEMATCH_PROT", "1")
    with pytest.raises(ValidationError) as raised:
        Settings()
    told = problems(raised.value)
    assert len(told) == 2
    assert told[0].startswith("FACEMATCH_PORT: ")
    assert "hunter2" not in "".join(told)
    assert told[1] == "FACEMATCH_PROT: unknown setting, did you mean FACEMATCH_PORT?"


def test_every_variable_that_anything_here_reads_is_known() -> None:
    """The variables of commands, of the pytest plugin, of scripts and of the deployment must not stop the service."""
    named = set()
    for folder in ("facematch_local", "server", "scripts"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix not in (".pyc", ".onnx", ".png", ".jpg"):
                text = path.read_text("utf-8", "replace")
                named.update(re.findall(r"(?<![A-Z_])FACEMATCH_[A-Z][A-Z_]*[A-Z]", text))
    assert "FACEMATCH_RELEASE" in named
    assert len(named) > 20
    # Parts of names, in the list of those that tests read.
    assert set(unknown_variables(named)) - {"FACEMATCH_TEST"} == set()


def test_auth_failure_status_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMATCH_AUTH_FAILURE_STATUS", "401")
    assert Settings().auth_failure_status == 401


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("10.0.0.1", False),
        ("", False),
        ("myhost", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
    assert Settings(host=host).listens_on_loopback_only is loopback


def test_the_internal_port_may_be_what_others_reach() -> None:
    assert not Settings(internal_port=1, internal_host="0.0.0.0").listens_on_loopback_only  # noqa: S104
    assert Settings(internal_port=1).listens_on_loopback_only


def test_the_database_is_in_the_data_folder_unless_named(tmp_path: Path) -> None:
    assert Settings(data_dir=str(tmp_path)).store_url == f"sqlite:///{tmp_path / 'facematch.db'}"
    url = "postgresql://user:pass@db/facematch"
    assert Settings(data_dir=str(tmp_path), database_url=url).store_url == url
