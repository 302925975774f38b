"""One archive that installs the service without a network: wheels, packs, checksums, SBOM, licences."""

from __future__ import annotations

from facematch_server.bundling.build import Bundle, build
from facematch_server.bundling.collect import BundleError

__all__ = ["Bundle", "BundleError", "build"]
