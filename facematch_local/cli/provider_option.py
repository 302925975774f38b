"""The option `--providers` of the commands that compare photos."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facematch_local.cli.console import console

if TYPE_CHECKING:
    from facematch_local.packs import LoadedPack
    from facematch_local.providers import ProviderSettings

PROVIDERS_VARIABLE, CACHE_VARIABLE = "FACEMATCH_PROVIDERS", "FACEMATCH_PROVIDER_CACHE"

Providers = Annotated[
    str,
    typer.Option(
        help="Execution providers for detector and recogniser, in order of preference: auto, cpu, openvino, cuda, "
        "tensorrt, coreml, directml.",
        envvar=PROVIDERS_VARIABLE,
        metavar="NAME,...",
    ),
]


def provider_settings(providers: str, concurrent_runs: int = 0) -> ProviderSettings:
    """The settings of execution providers; the environment names the folder of compiled models.

    Args:
        providers: the value of `--providers`.
        concurrent_runs: see `ProviderSettings`.

    Raises:
        ProviderError: a name is unknown, or the folder cannot be written.
    """
    from facematch_local.providers import ProviderSettings

    cache = os.environ.get(CACHE_VARIABLE)
    return ProviderSettings.parse(providers, Path(cache) if cache else None, concurrent_runs)


def show_refusals(loaded: LoadedPack) -> None:
    """Say on standard error which asked providers are not in use, and why."""
    for refusal in loaded.execution.refusals:
        used = loaded.execution.provider
        console(stderr=True).print(f"{refusal.name} is not used, but {used}: {refusal.reason}", markup=False)
