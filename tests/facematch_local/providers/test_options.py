"""Options that execution providers get."""

from __future__ import annotations

from pathlib import Path

import pytest

from facematch_local.providers import PROVIDERS, Provider
from facematch_local.providers.options import provider_options


def options(provider: Provider, cache: Path | None = None) -> dict[str, str]:
    return provider_options(provider, cache=cache, intra_op_threads=2, concurrent_runs=3)


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)
def test_compiled_models_are_kept_only_in_the_given_folder(provider: Provider) -> None:
    assert not [value for value in options(provider).values() if "/" in value]
    kept = [value for value in options(provider, Path("/srv/compiled")).values() if "/" in value]
    assert set(kept) == ({"/srv/compiled"} if provider.keeps_compiled else set())
    assert not [name for name in options(provider) if "cache" in name.lower() and "enable" in name]


def test_each_concurrent_run_of_openvino_has_its_stream_and_threads() -> None:
    given = options(PROVIDERS["openvino"])
    assert (given["num_streams"], given["num_of_threads"]) == ("3", "6")


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [("openvino", "precision", "FP32"), ("cuda", "use_tf32", "0"), ("tensorrt", "trt_fp16_enable", "0")],
)
def test_arithmetic_is_that_of_the_cpu(name: str, option: str, value: str) -> None:
    assert options(PROVIDERS[name])[option] == value
