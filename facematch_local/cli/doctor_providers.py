"""What `facematch doctor` finds out about ONNX Runtime and its execution providers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from facematch_local.cli.doctor_report import Line
from facematch_local.cli.provider_option import CACHE_VARIABLE, PROVIDERS_VARIABLE, provider_settings
from facematch_local.errors import FacematchError, ProviderError

if TYPE_CHECKING:
    from facematch_local.providers import Installed, ProviderSettings

_ABOUT = "execution provider in use"


def runtime() -> Iterator[Line]:
    """The package that contains ONNX Runtime, and the providers that it offers."""
    from facematch_local.providers import PROVIDERS, clash_of, installed
    from facematch_local.providers.installation import repair

    found = installed()
    wanted = next((PROVIDERS[name].package for name in _asked_names() if name in PROVIDERS), "onnxruntime")
    if clash := clash_of(found):
        yield Line("ONNX Runtime", clash, wrong=True, next_step=repair(found.packages, wanted))
    else:
        yield Line("ONNX Runtime", " and ".join(found.packages) or "of an unknown package")
    wrong = PROVIDERS["cpu"].runtime_name not in found.offered
    step = f"install it again: {repair(found.packages)}" if wrong else ""
    yield Line("execution providers", ", ".join(found.offered), wrong, next_step=step)


def provider_in_use() -> Iterator[Line]:
    """The provider that the settings lead to, after its trial, and why others are not used."""
    from facematch_local.packs import ModelPack, SessionSettings, load_pack, overview
    from facematch_local.providers import installed

    try:
        settings = provider_settings(os.environ.get(PROVIDERS_VARIABLE, ""))
    except ProviderError as error:
        step = f"correct {PROVIDERS_VARIABLE} or {CACHE_VARIABLE}; docs/settings.md describes both"
        yield Line(_ABOUT, str(error), wrong=True, next_step=step)
        return
    unused = _unused(settings, installed())
    if settings.only_cpu:
        yield Line(_ABOUT, f"cpu{unused}")
        return
    pack = overview().in_use
    if not isinstance(pack, ModelPack):
        return  # the line about the pack says why
    try:
        execution = load_pack(pack, SessionSettings(providers=settings)).execution
    except ProviderError as error:
        step = f"do what the message says, or set {PROVIDERS_VARIABLE}=auto or cpu"
        yield Line(_ABOUT, str(error), wrong=True, next_step=step)
        return
    except FacematchError:
        return  # likewise
    yield Line(_ABOUT, f"{execution.describe()}{unused}")
    for refusal in execution.refusals:
        step = f"do what the message says, or leave {refusal.name} out of {PROVIDERS_VARIABLE}"
        yield Line(f"execution provider {refusal.name}", f"not used: {refusal.reason}", note=True, next_step=step)


def _asked_names() -> tuple[str, ...]:
    try:
        return provider_settings(os.environ.get(PROVIDERS_VARIABLE, "")).names
    except ProviderError:
        return ()  # `provider_in_use` reports it


def _unused(settings: ProviderSettings, found: Installed) -> str:
    names = [name for name in found.names if name not in (*settings.candidates, "cpu")]
    if not names:
        return ""
    return f"; installed, but not asked for by {PROVIDERS_VARIABLE}={','.join(settings.names)}: {', '.join(names)}"
