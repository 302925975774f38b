"""TLS of the service itself: a certificate that clients can check, and clear lines for wrong ones."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from fastapi import FastAPI

from facematch_server.running.serve import StartError, check_tls, server_config
from facematch_server.settings import Settings


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two certificates and their keys (`a.pem`, `a.key`, `b.…`) and a key with a passphrase."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("pems")
    curve = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for name in "ab":
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", "/CN=localhost"]
        command = [openssl, "req", "-x509", "-newkey", *curve, *files, "-addext", "subjectAltName=DNS:localhost"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603
    locked = [openssl, "ec", "-in", "a.key", "-aes256", "-passout", "pass:x", "-out", "locked.key"]
    subprocess.run(locked, cwd=folder, check=True, capture_output=True)  # noqa: S603
    return folder


def test_plain_http_without_a_certificate() -> None:
    check_tls(Settings())
    assert not server_config(Settings(), FastAPI(), lifespan="off").is_ssl


def test_certificate_and_key_reach_the_server(pems: Path) -> None:
    settings = Settings(tls_cert=pems / "a.pem", tls_key=pems / "a.key")
    check_tls(settings)
    config = server_config(settings, FastAPI(), lifespan="off")
    config.load()
    assert config.ssl is not None


def test_both_in_one_file(pems: Path) -> None:
    both = pems / "both.pem"
    both.write_text((pems / "a.key").read_text() + (pems / "a.pem").read_text())
    check_tls(Settings(tls_cert=both))


@pytest.mark.parametrize(
    ("cert", "key", "message"),
    [
        ("a.pem", "b.key", "do not belong together"),
        ("a.pem", "locked.key", "without a passphrase"),
        ("a.key", "a.pem", "not PEM"),
        ("none.pem", "a.key", "cannot be read: No such file"),
        (None, "a.key", "without FACEMATCH_TLS_CERT"),
    ],
)
def test_wrong_files_are_told_in_one_line(pems: Path, cert: str | None, key: str, message: str) -> None:
    settings = Settings(tls_cert=pems / cert if cert else None, tls_key=pems / key)
    with pytest.raises(StartError, match=message):
        check_tls(settings)


def test_empty_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEMATCH_TLS_CERT", "")
    assert Settings().tls_cert is None
