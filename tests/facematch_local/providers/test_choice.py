"""Which of the asked providers is used."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from facematch_local.errors import ProviderError
from facematch_local.faces import FaceAnalyser
from facematch_local.providers import PROVIDERS, Agreement, Execution, Installed, Provider, ProviderSettings, choose

GOOD, BAD = Agreement(7, 7, 0.001, 1.0), Agreement(7, 7, 3.5, 0.8)
REFERENCE = cast(FaceAnalyser, "models on the CPU")


@dataclass
class Machine:
    """A machine with some providers, of which some do not start or compute something else."""

    offered: tuple[str, ...]
    broken: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    opened: list[str] = field(default_factory=list)

    def choose(self, asked: str) -> tuple[Any, Execution]:
        names = tuple(PROVIDERS[name].runtime_name for name in self.offered)
        found = Installed(("onnxruntime-gpu 1.31.1",), names)
        return choose(ProviderSettings.parse(asked), found, REFERENCE, self._open, self._try_out)

    def _open(self, provider: Provider) -> FaceAnalyser:
        self.opened.append(provider.name)
        if provider.name in self.broken:
            raise ProviderError("it does not start on this machine")
        return cast(FaceAnalyser, provider.name)

    def _try_out(self, reference: FaceAnalyser, tried: FaceAnalyser) -> Agreement:
        assert reference is REFERENCE
        return BAD if str(tried) in self.wrong else GOOD


def test_the_cpu_is_used_as_it_is() -> None:
    machine = Machine(("cpu", "cuda"))
    models, execution = machine.choose("cpu,cuda")
    assert models is REFERENCE
    assert execution == Execution()
    assert machine.opened == []


@pytest.mark.parametrize(
    ("offered", "used"),
    [
        (("cpu",), "cpu"),
        (("cpu", "cuda", "tensorrt"), "cuda"),
        (("cpu", "coreml"), "coreml"),
        (("cpu", "directml"), "directml"),
        (("cpu", "openvino"), "cpu"),
    ],
)
def test_auto_takes_a_gpu_that_is_there(offered: tuple[str, ...], used: str) -> None:
    models, execution = Machine(offered).choose("auto")
    assert execution.provider == used
    assert execution.refusals == ()
    assert models == ("models on the CPU" if used == "cpu" else used)
    assert execution.agreement == (None if used == "cpu" else GOOD)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"broken": ("cuda",)}, "it does not start on this machine"),
        (
            {"wrong": ("cuda",)},
            "its results differ from those of the CPU: 7 faces, boxes within 3.500 pixels, lowest cosine 0.800000",
        ),
    ],
)
def test_auto_takes_the_cpu_if_the_gpu_fails_and_says_why(fault: dict[str, tuple[str, ...]], reason: str) -> None:
    models, execution = Machine(("cpu", "cuda"), **fault).choose("auto")
    assert models is REFERENCE
    assert execution.provider == "cpu"
    assert [(refusal.name, refusal.reason) for refusal in execution.refusals] == [("cuda", reason)]
    with pytest.raises(ProviderError, match=r"no execution provider of cuda can be used\. cuda: ") as caught:
        Machine(("cpu", "cuda"), **fault).choose("cuda")
    assert reason in str(caught.value)


def test_a_named_provider_that_is_absent_is_an_error_with_the_remedy() -> None:
    with pytest.raises(ProviderError) as caught:
        Machine(("cpu", "cuda")).choose("openvino")
    assert "openvino: not in onnxruntime-gpu 1.31.1, with cpu, cuda" in str(caught.value)
    assert "`pip uninstall -y onnxruntime-gpu`, then `pip install onnxruntime-openvino`" in str(caught.value)


def test_a_list_goes_on_with_the_next_name() -> None:
    machine = Machine(("cpu", "cuda", "openvino"), broken=("cuda",))
    models, execution = machine.choose("directml,cuda,openvino,cpu")
    assert models == execution.provider == "openvino"
    assert [(refusal.name, refusal.offered) for refusal in execution.refusals] == [("directml", False), ("cuda", True)]
    assert machine.opened == ["cuda", "openvino"]


def test_an_unexpected_failure_in_the_trial_refuses_the_provider() -> None:
    machine = Machine(("cpu", "cuda"))
    failing = replace(machine)

    def fail(*_: object) -> Agreement:
        raise RuntimeError("CUDA failure 2: out of memory")

    failing._try_out = fail  # type: ignore[method-assign]
    _, execution = failing.choose("auto")
    assert execution.provider == "cpu"
    assert execution.refusals[0].reason == "it starts, but fails in the trial (RuntimeError)"
