"""Which ONNX Runtime is installed, and what it offers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib import metadata
from typing import Final

from facematch_local.providers.provider import PROVIDERS, Provider

# Packages that put the module `onnxruntime` into the same folder.
_PACKAGES: Final = (
    "onnxruntime",
    "onnxruntime-openvino",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-silicon",
    "onnxruntime-coreml",
    "onnxruntime-rocm",
    "onnxruntime-migraphx",
    "onnxruntime-qnn",
    "onnxruntime-cann",
    "ort-nightly",
    "ort-nightly-gpu",
)
_STANDARD: Final = "onnxruntime"


@dataclass(frozen=True, slots=True)
class Installed:
    """The installed ONNX Runtime.

    Attributes:
        packages: installed packages that contain it, as "name version"; more than one overwrite each other.
        offered: ONNX Runtime's names of the providers that it was built with.
    """

    packages: tuple[str, ...]
    offered: tuple[str, ...]

    def offers(self, provider: Provider) -> bool:
        """Whether it was built with a provider; the provider may still fail to start on this machine."""
        return provider.runtime_name in self.offered

    @property
    def names(self) -> tuple[str, ...]:
        """The known providers that it offers, by our names."""
        return tuple(provider.name for provider in PROVIDERS.values() if self.offers(provider))

    def describe(self) -> str:
        """Packages and providers in one line."""
        packages = " and ".join(self.packages) or "onnxruntime of an unknown package"
        return f"{packages}, with {', '.join(self.names) or 'no known provider'}"


def installed() -> Installed:
    """What is installed in this environment. Loads ONNX Runtime."""
    import onnxruntime

    return Installed(_packages(), tuple(onnxruntime.get_available_providers()))


def clash_of(installed: Installed) -> str:
    """What is wrong if several packages contain ONNX Runtime; "" if one does."""
    if len(installed.packages) < 2:
        return ""
    return f"{' and '.join(installed.packages)} share a folder; the last one installed overwrote the others"


def repair(packages: Iterable[str], wanted: str = _STANDARD) -> str:
    """The commands that leave one package.

    Args:
        packages: those that are installed, with or without versions.
        wanted: the package to keep, with extras if it needs them.
    """
    install = f'`pip install "{wanted}"`' if "[" in wanted else f"`pip install {wanted}`"
    names = " ".join(_bare(package) for package in packages)
    return f"`pip uninstall -y {names}`, then {install}" if names else install


def how_to_install(provider: Provider, packages: Collection[str]) -> str:
    """What to do to get a provider that is not offered."""
    if [_bare(package) for package in packages] == [_bare(provider.package)]:
        return f"that package has it only for other systems: it needs {provider.needs or 'another version'}"
    needs = f"; it needs {provider.needs}" if provider.needs else ""
    return f"install it: {repair(packages, provider.package)}{needs}"


def _bare(package: str) -> str:
    """The name of a package without its version and extras."""
    return package.split()[0].partition("[")[0]


def _packages() -> tuple[str, ...]:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return tuple(found)
