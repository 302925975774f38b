"""Execution providers: the parts of ONNX Runtime that compute a network on a kind of hardware.

Detector and recogniser can run on another provider than the CPU's; they are over nine tenths of the models' work. The
small networks stay on the CPU. A provider is used only after a trial: its results on two photos must be those of the
CPU.
"""

from facematch_local.providers.choice import Execution, Refusal, choose
from facematch_local.providers.installation import Installed, clash_of, installed
from facematch_local.providers.provider import AUTO, CPU, PROVIDERS, Provider
from facematch_local.providers.settings import ProviderSettings
from facematch_local.providers.trial import Agreement, compare

__all__ = [
    "AUTO",
    "CPU",
    "PROVIDERS",
    "Agreement",
    "Execution",
    "Installed",
    "Provider",
    "ProviderSettings",
    "Refusal",
    "choose",
    "clash_of",
    "compare",
    "installed",
]
