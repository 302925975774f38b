"""One archive that installs the service without a network: wheels, packs, checksums, SBOM, licences."""

from __future__ import annotations

from facematch_server.bundling.build import Bundle, BundleError, build

__all__ = ["Bundle", "BundleError", "build"]
