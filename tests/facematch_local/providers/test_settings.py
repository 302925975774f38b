"""Names of execution providers, as settings and options give them."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.errors import ProviderError
from facematch_local.providers import AUTO, PROVIDERS, ProviderSettings


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ("cpu",)),
        (" , ", ("cpu",)),
        ("OpenVINO", ("openvino",)),
        ("cuda, openvino ,cpu", ("cuda", "openvino", "cpu")),
        ("auto", ("auto",)),
    ],
)
def test_lists_of_names(text: str, names: tuple[str, ...]) -> None:
    assert ProviderSettings.parse(text).names == names


@pytest.mark.parametrize("text", ["opnvino", "cuda,gpu", "CUDAExecutionProvider"])
def test_an_unknown_name_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(ProviderError, match="unknown execution provider") as caught:
        ProviderSettings.parse(text)
    assert all(name in str(caught.value) for name in ("auto", *PROVIDERS))


def test_no_name_is_refused() -> None:
    with pytest.raises(ProviderError, match="no execution provider is named"):
        ProviderSettings(())


def test_auto_stands_for_a_list_and_no_candidate_appears_twice() -> None:
    assert ProviderSettings.parse("auto").candidates == AUTO
    assert ProviderSettings.parse("openvino,auto,cuda").candidates == ("openvino", *AUTO)
    assert AUTO[-1] == "cpu"
    assert set(AUTO) < set(PROVIDERS)


@pytest.mark.parametrize(("text", "only"), [("cpu", True), ("cpu,cuda", True), ("auto", False), ("openvino", False)])
def test_the_cpu_as_the_first_choice_needs_no_trial(text: str, only: bool) -> None:
    assert ProviderSettings.parse(text).only_cpu == only


def test_the_folder_of_compiled_models_must_exist(tmp_path: Path) -> None:
    assert ProviderSettings.parse("openvino", tmp_path).cache == tmp_path
    (tmp_path / "file").touch()
    for missing in ("absent", "file"):
        with pytest.raises(ProviderError, match=f"{missing}: is not a folder that this user can write"):
            ProviderSettings.parse("openvino", tmp_path / missing)
