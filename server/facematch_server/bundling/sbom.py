"""The bill of materials, CycloneDX 1.6 JSON: every wheel and every model pack with version, hash and licence.

cyclonedx-python-lib is not used: one flat list is enough, and the machine that builds bundles would have to trust its
six packages.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable
from typing import Any, Final

from facematch_local.packs import ModelFile, ModelPack, sha256_of
from facematch_server.bundling.wheels import Wheel

# SPDX ids whose form distinguishes them from a sentence without a table; other licences are given by name.
_EXPRESSION: Final = re.compile(r"^[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*$")


def sbom(name: str, version: str, wheels: Iterable[Wheel], packs: Iterable[ModelPack]) -> str:
    """The bill of materials of a bundle. The same content gives the same text.

    Args:
        name: name of the bundle.
        version: version of the bundle.
        wheels: all wheels.
        packs: all packs, those of the facematch-local wheel included.
    """
    components = [_of_wheel(wheel) for wheel in wheels] + [_of_pack(pack) for pack in packs]
    whole = {"type": "application", "bom-ref": "bundle", "name": name, "version": version}
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": whole},
        "components": components,
        "dependencies": [{"ref": "bundle", "dependsOn": [component["bom-ref"] for component in components]}],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(document, sort_keys=True))
    return json.dumps({**document, "serialNumber": f"urn:uuid:{serial}"}, indent=1) + "\n"


def _of_wheel(wheel: Wheel) -> dict[str, Any]:
    normal = re.sub(r"[-_.]+", "-", wheel.name).lower()
    purl = f"pkg:pypi/{normal}@{wheel.version.replace('+', '%2B')}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": wheel.name,
        "version": wheel.version,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": wheel.sha256}],
        **_licences(wheel.licence, expressions=True),
    }


def _of_pack(pack: ModelPack) -> dict[str, Any]:
    files = [
        {
            "type": "file",
            "bom-ref": f"pack:{pack.name}:{role}",
            "name": file.path.name,
            "hashes": [{"alg": "SHA-256", "content": sha256_of(file.path)}],
            **_origin(pack, file),
        }
        for role, file in pack.files.items()
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": f"pack:{pack.name}",
        "name": pack.name,
        "version": pack.version,
        **_licences(pack.licence, expressions=False),
        "components": files,
    }


def _origin(pack: ModelPack, file: ModelFile) -> dict[str, Any]:
    """The source of a third-party file, by hash."""
    if pack.source is None or not file.source:
        return {}
    origin = {
        "facematch:source-archive": pack.source.archive,
        "facematch:source-archive-sha256": pack.source.sha256,
        "facematch:source-file": file.source,
        "facematch:source-file-sha256": file.source_sha256,
    }
    return {"properties": [{"name": name, "value": value} for name, value in origin.items()]}


def _licences(stated: str, *, expressions: bool) -> dict[str, Any]:
    if not stated:
        return {}
    if expressions and _EXPRESSION.match(stated):
        return {"licenses": [{"expression": stated}]}
    return {"licenses": [{"license": {"name": stated}}]}
