"""Model packs: search, verification and loading.

A pack is a folder. Its `pack.toml` states name, version, tasks, checksums and licence, see `manifest`. A folder without
one is read as a plain insightface folder, in which insightface's own rules identify detector and recogniser. This
package does not download files.
"""

from facematch_local.packs.files import sha256_of, verify_pack
from facematch_local.packs.installed import Missing, Overview, asked_pack, overview
from facematch_local.packs.loading import LoadedPack, calibration_for, landmarks_sha256, load_pack, open_networks
from facematch_local.packs.model_pack import (
    CALIBRATION,
    MANIFEST,
    REQUIRED_TASKS,
    ModelFile,
    ModelPack,
    NotInstalledError,
    Source,
)
from facematch_local.packs.search import (
    DEFAULT_PACK,
    FALLBACK_TASKS,
    PREFERRED,
    SHIPPED,
    fallback_networks,
    find_pack,
    read_pack,
    scan_packs,
    search_folders,
    shipped_folders,
)
from facematch_local.packs.sessions import SessionSettings

__all__ = [
    "CALIBRATION",
    "DEFAULT_PACK",
    "FALLBACK_TASKS",
    "MANIFEST",
    "PREFERRED",
    "REQUIRED_TASKS",
    "SHIPPED",
    "LoadedPack",
    "Missing",
    "ModelFile",
    "ModelPack",
    "NotInstalledError",
    "Overview",
    "SessionSettings",
    "Source",
    "asked_pack",
    "calibration_for",
    "fallback_networks",
    "find_pack",
    "landmarks_sha256",
    "load_pack",
    "open_networks",
    "overview",
    "read_pack",
    "scan_packs",
    "search_folders",
    "sha256_of",
    "shipped_folders",
    "verify_pack",
]
