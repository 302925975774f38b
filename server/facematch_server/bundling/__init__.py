"""One archive that installs the service on a machine without network: wheels, packs, checksums, SBOM, licences."""

from __future__ import annotations

from facematch_server.bundling.build import Bundle, BundleError, build

__all__ = ["Bundle", "BundleError", "build"]
