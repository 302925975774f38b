"""Packs made of small models, and copies of the shipped one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from facematch_local.errors import PackError
from facematch_local.packs import (
    find_pack,
    sha256_of,
)


def model(path: Path, outputs: int, shape: tuple[int | str, ...], old: bool = False) -> None:
    """A tiny ONNX model with the given number of outputs and input shape; `old` lists its weights as inputs."""
    names = [f"o{index}" for index in range(outputs)]
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    if old:
        inputs.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [1]))
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "w"], [name]) for name in names],
        "tiny",
        inputs,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names],
        [weight],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))


def plain(folder: Path) -> Path:
    """The layout of buffalo_l: detector and recogniser among models of other kinds."""
    model(folder / "1k3d68.onnx", 1, (1, 3, 192, 192))
    model(folder / "2d106det.onnx", 1, (1, 3, 192, 192))
    model(folder / "det_10g.onnx", 9, (1, 3, "h", "w"))
    model(folder / "genderage.onnx", 1, (1, 3, 96, 96))
    model(folder / "w600k_r50.onnx", 1, ("n", 3, 112, 112))
    return folder


def with_manifest(folder: Path, **changes: str) -> Path:
    plain(folder)
    digest = sha256_of(folder / "w600k_r50.onnx")
    text = f"""
name = "mine"
version = "1.2"

[licence]
id = "Apache-2.0"
commercial_use = true

[tasks.detection]
file = "det_10g.onnx"

[tasks.recognition]
file = "w600k_r50.onnx"
sha256 = "{digest}"
"""
    for old, new in changes.items():
        text = text.replace(old.replace("__", " "), new)
    (folder / "pack.toml").write_text(text, "utf-8")
    return folder


def message_of(action: Callable[[], object]) -> str:
    with pytest.raises(PackError) as caught:
        action()
    message = str(caught.value)
    assert "\n" not in message
    return message


def described(folder: Path) -> Path:
    """A pack whose weights have not been fetched."""
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(
        f'name = "{folder.name}"\nbase = "compact"\n[source]\npackage = "thing"\nversion = "2"\narchive = "thing.whl"\n'
        'sha256 = "ab"\n[tasks.recognition]\nfile = "rec.onnx"\nsha256 = "cd"\nsource = "a/b"\nsource_sha256 = "ef"\n'
    )
    return folder


def copied(pack_path: Path, target: Path) -> Path:
    shutil.copytree(pack_path, target)
    return target


def forget_checksums(folder: Path) -> None:
    manifest = folder / "pack.toml"
    if manifest.is_file():
        lines = [line for line in manifest.read_text("utf-8").splitlines() if not line.startswith("sha256")]
        manifest.write_text("\n".join(lines), "utf-8")


def without_networks(folder: Path) -> Path:
    """The shipped detector and recogniser as a plain insightface folder."""
    folder.mkdir()
    for role in ("detection", "recognition"):
        shutil.copy(find_pack().files[role].path, folder)
    return folder
