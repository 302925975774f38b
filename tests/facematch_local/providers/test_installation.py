"""Which packages contain ONNX Runtime, and how to change them."""

from __future__ import annotations

from importlib import metadata

import pytest

from facematch_local.providers import PROVIDERS, Installed, clash_of, installed
from facematch_local.providers.installation import how_to_install, repair

OFFERED = ("OpenVINOExecutionProvider", "CPUExecutionProvider", "AzureExecutionProvider")


def test_this_environment() -> None:
    found = installed()
    assert len(found.packages) == 1, "two packages with ONNX Runtime are installed"
    assert found.packages[0].startswith("onnxruntime")
    assert "cpu" in found.names


def test_the_known_providers_that_a_package_offers() -> None:
    found = Installed(("onnxruntime-openvino 1.24.1",), OFFERED)
    assert found.names == ("cpu", "openvino")
    assert found.offers(PROVIDERS["openvino"])
    assert not found.offers(PROVIDERS["cuda"])
    assert found.describe() == "onnxruntime-openvino 1.24.1, with cpu, openvino"


def test_packages_that_overwrite_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"onnxruntime": "1.32.0", "onnxruntime-openvino": "1.24.1"}

    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    found = installed()
    clash = clash_of(found)
    assert "onnxruntime 1.32.0 and onnxruntime-openvino 1.24.1 share a folder" in clash
    assert repair(found.packages, "onnxruntime-openvino") == (
        "`pip uninstall -y onnxruntime onnxruntime-openvino`, then `pip install onnxruntime-openvino`"
    )
    del versions["onnxruntime"]
    assert clash_of(installed()) == ""


@pytest.mark.parametrize(
    ("name", "packages", "said"),
    [
        (
            "openvino",
            ("onnxruntime 1.32.0",),
            "install it: `pip uninstall -y onnxruntime`, then `pip install onnxruntime-openvino`",
        ),
        (
            "cuda",
            ("onnxruntime 1.32.0",),
            'install it: `pip uninstall -y onnxruntime`, then `pip install "onnxruntime-gpu[cuda,cudnn]"`; it needs an '
            "NVIDIA GPU, its driver, and CUDA and cuDNN of the versions that the package names",
        ),
        ("openvino", (), "install it: `pip install onnxruntime-openvino`"),
        ("coreml", ("onnxruntime 1.32.0",), "that package has it only for other systems: it needs macOS"),
    ],
)
def test_how_to_install_a_provider(name: str, packages: tuple[str, ...], said: str) -> None:
    assert how_to_install(PROVIDERS[name], packages) == said
