"""Chooses the execution provider: the first of the asked ones that is installed, starts and passes the trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from facematch_local.errors import ProviderError
from facematch_local.faces import FaceAnalyser
from facematch_local.providers.installation import Installed, how_to_install
from facematch_local.providers.provider import CPU, PROVIDERS, Provider
from facematch_local.providers.settings import ProviderSettings
from facematch_local.providers.trial import Agreement, compare

Open = Callable[[Provider], FaceAnalyser]
"""Opens the models on a provider.

Raises:
    ProviderError: the provider does not start.
"""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A provider that was asked for and is not used.

    Attributes:
        name: our name of the provider.
        reason: why, in one line without the name.
        offered: whether the installed ONNX Runtime contains the provider.
    """

    name: str
    reason: str
    offered: bool = True


@dataclass(frozen=True, slots=True)
class Execution:
    """The provider that runs detector and recogniser.

    Attributes:
        provider: its name in settings.
        agreement: the figures of the trial; None for the CPU, with which the others are compared.
        refusals: the providers before it in the order of preference.
    """

    provider: str = CPU
    agreement: Agreement | None = None
    refusals: tuple[Refusal, ...] = ()

    def describe(self) -> str:
        """Provider and trial in one line."""
        if self.agreement is None:
            return self.provider
        return f"{self.provider} (trial against the CPU: {self.agreement.describe()})"


ON_CPU: Final = Execution()


def choose(
    settings: ProviderSettings,
    installed: Installed,
    reference: FaceAnalyser,
    open_on: Open,
    try_out: Callable[[FaceAnalyser, FaceAnalyser], Agreement] = compare,
) -> tuple[FaceAnalyser, Execution]:
    """Choose a provider.

    Args:
        settings: the asked providers.
        installed: the installed ONNX Runtime.
        reference: the models on the CPU.
        open_on: opens the same models on another provider.
        try_out: compares a provider's results with the reference.

    Returns:
        The models on the chosen provider, and which one that is.

    Raises:
        ProviderError: none of the asked providers can be used; the message gives the reason for each.
    """
    refusals: list[Refusal] = []
    for name in settings.candidates:
        if name == CPU:
            return reference, Execution(refusals=tuple(refusals))
        provider = PROVIDERS[name]
        if not installed.offers(provider):
            if name in settings.names:  # `auto` asks only for what is there
                refusals.append(Refusal(name, _absent(provider, installed), offered=False))
            continue
        try:
            opened = open_on(provider)
            agreement = try_out(reference, opened)
        except ProviderError as error:
            refusals.append(Refusal(name, str(error)))
        except Exception as error:  # ONNX Runtime's exceptions derive from Exception directly
            refusals.append(Refusal(name, f"it starts, but fails in the trial ({type(error).__name__})"))
        else:
            if agreement.good:
                return opened, Execution(name, agreement, tuple(refusals))
            refusals.append(Refusal(name, f"its results differ from those of the CPU: {agreement.describe()}"))
    reasons = "; ".join(f"{refusal.name}: {refusal.reason}" for refusal in refusals)
    raise ProviderError(f"no execution provider of {','.join(settings.names)} can be used. {reasons}")


def _absent(provider: Provider, installed: Installed) -> str:
    return f"not in {installed.describe()}; {how_to_install(provider, installed.packages)}"
