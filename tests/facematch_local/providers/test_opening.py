"""Opening of models on a provider."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnxruntime
import pytest

from facematch_local.errors import ProviderError
from facematch_local.packs import SessionSettings, load_pack, read_pack
from facematch_local.providers import PROVIDERS, ProviderSettings, installed
from facematch_local.providers.opening import OneAtATime, open_on


class Runtime:
    """In place of ONNX Runtime's session: starts providers or falls back to the CPU as it does."""

    def __init__(self, model: str, options: object, *, providers: list[Any], enable_fallback: int) -> None:
        (name, _), cpu = providers
        assert cpu == "CPUExecutionProvider"
        assert enable_fallback == 0
        if name in ("OpenVINOExecutionProvider", "TensorrtExecutionProvider"):
            raise RuntimeError("/home/someone/secret: cannot compile")
        self._providers = [cpu] if name == "CUDAExecutionProvider" else [name, cpu]

    def get_providers(self) -> list[str]:
        return self._providers


def opened(name: str, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(onnxruntime, "InferenceSession", Runtime)
    for variable in ("CUDA_CACHE_DISABLE", "NVIDIA_TF32_OVERRIDE"):
        monkeypatch.setenv(variable, "1")  # so that the test's end undoes what the code sets
    return open_on(PROVIDERS[name], Path("det.onnx"), cast(Any, None), ProviderSettings(), 1)


def test_a_silent_fallback_to_the_cpu_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProviderError, match=r"does not start on this machine.* needs an NVIDIA GPU"):
        opened("cuda", monkeypatch)


def test_a_failure_names_the_model_but_not_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProviderError) as caught:
        opened("openvino", monkeypatch)
    assert str(caught.value) == "it does not load det.onnx (RuntimeError)"
    with pytest.raises(ProviderError, match=r"it does not load det\.onnx \(RuntimeError\); it needs .* TensorRT"):
        opened("tensorrt", monkeypatch)


def test_a_provider_that_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(opened("coreml", monkeypatch), Runtime)
    assert isinstance(opened("directml", monkeypatch), OneAtATime)


def test_cuda_keeps_compiled_code_only_in_the_given_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in ("CUDA_CACHE_DISABLE", "CUDA_CACHE_PATH", "NVIDIA_TF32_OVERRIDE"):
        monkeypatch.setenv(name, "")  # so that the test's end restores it
        monkeypatch.delenv(name)
    for cache, expected in ((None, ("1", None)), (tmp_path, ("1", str(tmp_path)))):
        monkeypatch.setattr(onnxruntime, "InferenceSession", Runtime)
        with pytest.raises(ProviderError):
            open_on(PROVIDERS["cuda"], Path("det.onnx"), cast(Any, None), ProviderSettings(cache=cache), 1)
        assert (os.environ.get("CUDA_CACHE_DISABLE"), os.environ.get("CUDA_CACHE_PATH")) == expected
        monkeypatch.setenv("CUDA_CACHE_DISABLE", "1")


def test_messages_of_cuda_stay_out_of_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("Failed to load libcublas"), raising=False)  # noqa: T201
    with pytest.raises(ProviderError):
        opened("cuda", monkeypatch)
    assert capsys.readouterr() == ("", "Failed to load libcublas\n")


def test_one_run_at_a_time() -> None:
    class Session:
        running = most = 0

        def run(self, *_: object) -> list[str]:
            self.running += 1
            self.most = max(self.most, self.running)
            time.sleep(0.02)
            self.running -= 1
            return ["output"]

        def get_inputs(self) -> str:
            return "inputs"

    session = Session()
    guarded = OneAtATime(cast(Any, session))
    threads = [threading.Thread(target=guarded.run, args=(None, {})) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.most == 1
    assert guarded.run(None, {}) == ["output"]
    assert guarded.get_inputs() == "inputs"


class Counted(OneAtATime):
    """A guarded session that counts its runs."""

    runs = 0

    def run(self, *arguments: Any) -> Any:
        self.runs += 1
        return super().run(*arguments)


def test_models_run_on_the_other_session_only(pack_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DirectML's sessions are guarded; here the CPU stands in for it."""
    from facematch_local.packs import sessions

    def on_cpu(provider: object, path: Path, options: object, *_: object) -> Counted:
        return Counted(onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]))

    monkeypatch.setattr(sessions, "open_on", on_cpu)
    monkeypatch.setattr("facematch_local.providers.installation.Installed.offers", lambda *_: True)
    settings = SessionSettings(providers=ProviderSettings.parse("directml"))
    loaded = load_pack(read_pack(pack_path), settings)
    assert loaded.execution.provider == "directml"
    assert loaded.execution.agreement is not None
    assert loaded.execution.agreement.good
    detector, recogniser = cast(Any, loaded.analyser.detector), cast(Any, loaded.analyser.recogniser)
    for shape in ((300, 400, 3), (400, 300, 3)):
        before = detector.session.runs
        loaded.analyser.find(np.zeros(shape, np.uint8))
        assert detector.session.runs > before
    before = recogniser.session.runs
    recogniser.get_feat([np.zeros((112, 112, 3), np.uint8)])
    assert recogniser.session.runs == before + 1


def test_a_pack_refuses_an_absent_provider(pack_path: Path) -> None:
    absent = next(name for name in ("directml", "coreml", "openvino") if name not in installed().names)
    with pytest.raises(ProviderError, match=rf"no execution provider of {absent} can be used\. {absent}: not in onnx"):
        load_pack(read_pack(pack_path), SessionSettings(providers=ProviderSettings.parse(absent)))
