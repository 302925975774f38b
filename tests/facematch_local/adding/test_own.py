"""Installation of an operator's own packs, built from the shipped weights."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from facematch_local.adding import Added, add_own
from facematch_local.adding import place as place_module
from facematch_local.errors import PackError
from facematch_local.packs import find_pack, load_pack, scan_packs, verify_pack

SHIPPED = find_pack("compact")
DETECTOR, RECOGNISER = (SHIPPED.files[role].path for role in ("detection", "recognition"))


def plain(folder: Path) -> Path:
    folder.mkdir(parents=True)
    shutil.copy2(DETECTOR, folder)
    shutil.copy2(RECOGNISER, folder)
    return folder


def zipped(folder: Path, path: Path, below: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(folder.iterdir()):
            archive.write(each, below + each.name)
    return path


@pytest.fixture
def to(tmp_path: Path) -> Path:
    """The folder for new packs, which does not exist yet."""
    return tmp_path / "installed" / "models"


@pytest.fixture
def add(to: Path) -> Callable[..., Added]:
    def add(source: Path, **options: object) -> Added:
        return add_own(source, to=to, folders=[to], **options)  # type: ignore[arg-type]

    return add


@pytest.fixture
def refused(add: Callable[..., Added], to: Path) -> Callable[..., str]:
    """Try to add an invalid pack; return the message. Checks that it is one line and that no file has changed."""

    def refused(source: Path, **options: object) -> str:
        before = contents(to)
        with pytest.raises(PackError) as caught:
            add(source, **options)
        assert contents(to) == before
        assert "\n" not in str(caught.value)
        assert f"{to}/." not in str(caught.value)  # the temporary folder
        return str(caught.value)

    return refused


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def test_a_flat_archive(tmp_path: Path, to: Path, add: Callable[..., Added]) -> None:
    added = add(zipped(plain(tmp_path / "x"), tmp_path / "buffalo_q.zip"))
    assert (added.pack.name, added.pack.folder, added.setting) == ("buffalo_q", to / "buffalo_q", "buffalo_q")
    assert (added.pack.licence, added.pack.commercial_use) == ("", None)
    assert added.trial.faces == 6
    assert added.trial.same > 0.6
    assert added.trial.other < 0.5
    # The curve of compact requires its landmark network, which this pack lacks.
    assert not added.calibration.calibrated
    assert {path.name for path in to.iterdir()} == {"buffalo_q"}
    assert {path.name for path in added.pack.folder.iterdir()} == {"det.onnx", "rec.onnx", "pack.toml"}
    assert load_pack(find_pack("buffalo_q", [to])).pack.files["recognition"].sha256
    (added.pack.folder / "rec.onnx").write_bytes(DETECTOR.read_bytes())
    with pytest.raises(PackError, match="damaged"):
        verify_pack(find_pack("buffalo_q", [to]))


def test_a_nested_archive_keeps_its_other_models_and_texts(tmp_path: Path, add: Callable[..., Added]) -> None:
    folder = plain(tmp_path / "x")
    shutil.copy(SHIPPED.files["occlusion"].path, folder / "genderage.onnx")
    (folder / "LICENSE.txt").write_text("mine")
    (folder / "holiday.jpg").write_bytes(b"not of the pack")
    archive = zipped(folder, tmp_path / "antelopev2.zip", "antelopev2/antelopev2/")
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("__MACOSX/antelopev2/._det.onnx", b"junk")
    added = add(archive)
    assert added.pack.name == "antelopev2"
    names = {path.name for path in added.pack.folder.iterdir()}
    assert names == {"det.onnx", "rec.onnx", "genderage.onnx", "LICENSE.txt", "pack.toml"}


def test_an_archive_that_a_browser_renamed(tmp_path: Path, add: Callable[..., Added]) -> None:
    assert add(zipped(plain(tmp_path / "x"), tmp_path / "a (1).zip", "antelopev2/")).pack.name == "antelopev2"


def test_a_folder_with_a_manifest_and_another_name(tmp_path: Path, add: Callable[..., Added]) -> None:
    shutil.copytree(SHIPPED.folder, tmp_path / "x")
    added = add(tmp_path / "x", name="ours")
    assert (added.pack.name, added.pack.version, added.pack.licence) == ("ours", SHIPPED.version, "Apache-2.0")
    assert added.calibration.calibrated
    assert set(added.pack.files) == set(SHIPPED.files)
    assert (tmp_path / "x" / "pack.toml").read_bytes() == (SHIPPED.folder / "pack.toml").read_bytes()


def test_a_recogniser_alone(tmp_path: Path, add: Callable[..., Added]) -> None:
    shutil.copy(RECOGNISER, tmp_path / "w600k.onnx")
    added = add(tmp_path / "w600k.onnx")
    assert (added.pack.name, added.pack.base) == ("w600k", "compact")
    assert added.pack.files["detection"].path == DETECTOR
    assert added.pack.files["landmarks"] == SHIPPED.files["landmarks"]
    assert added.pack.files["recognition"].path.parent == added.pack.folder


def test_a_pack_outside_the_search_is_selected_by_its_folder(tmp_path: Path, to: Path) -> None:
    added = add_own(plain(tmp_path / "mine"), to=to, folders=[tmp_path / "elsewhere"])
    assert added.setting == str(to / "mine")


def test_a_name_that_is_taken(tmp_path: Path, to: Path, add: Callable[..., Added], refused: Callable[..., str]) -> None:
    add(plain(tmp_path / "mine"))
    (to / "mine" / "old.txt").write_text("of the old one")
    message = refused(tmp_path / "mine")
    assert message == f"{to / 'mine'} already exists; give another name with --name, or replace it with --replace"
    add(tmp_path / "mine", replace=True)
    assert not (to / "mine" / "old.txt").exists()
    assert {path.name for path in to.iterdir()} == {"mine"}
    # A folder that is not a pack is not replaced, even with --replace.
    (to / "photos").mkdir()
    (to / "photos" / "a.jpg").write_bytes(b"1")
    assert "is not a model pack and was not replaced" in refused(tmp_path / "mine", name="photos", replace=True)


@pytest.mark.parametrize("name", ["compact", "standard", "auto", "../x", "a/b", ".hidden", "-x", "a b", "x" * 65])
def test_names_that_an_operators_pack_cannot_have(tmp_path: Path, refused: Callable[..., str], name: str) -> None:
    shutil.copy(RECOGNISER, tmp_path / "rec.onnx")
    for replace in (False, True):
        message = refused(tmp_path / "rec.onnx", name=name, replace=replace)
        assert "give another with --name" in message


def test_the_folders_of_shipped_packs_are_unchanged(tmp_path: Path) -> None:
    plain(tmp_path / "mine")
    with pytest.raises(PackError, match="holds the shipped packs"):
        add_own(tmp_path / "mine", to=SHIPPED.folder.parent)
    with pytest.raises(PackError, match="is inside the folder to be added"):
        add_own(tmp_path / "mine", to=tmp_path / "mine", name="other")
    with pytest.raises(PackError, match="is already in a folder of packs"):
        add_own(tmp_path / "mine", to=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"mine"}


def test_sources_that_are_not_packs(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("no model")
    (tmp_path / "bad.onnx").write_bytes(b"<html>404</html>")
    (tmp_path / "bad.zip").write_bytes(b"<html>404</html>")
    (tmp_path / "lfs.zip").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (tmp_path / "nothing.zip").write_bytes(b"")
    (tmp_path / "other.whl").write_bytes(b"PK")
    os.mkfifo(tmp_path / "pipe.zip")
    plain(tmp_path / "several" / "one")
    plain(tmp_path / "several" / "two")
    for name, words in {
        "buffalo_l": "no such file or folder; only 'standard' can be downloaded",
        "empty": "contains no pack; give a folder or ZIP archive with a detector",
        "text.txt": "not a folder, ZIP archive or ONNX file",
        "bad.onnx": "damaged or not an ONNX model",
        "bad.zip": "damaged or not a ZIP archive",
        "lfs.zip": "only a Git LFS pointer",
        "nothing.zip": "the file is empty",
        "other.whl": "not the wheel for 'standard'",
        "pipe.zip": "not a file or folder",
        "several": "several folders; give the folder of the pack itself",
    }.items():
        assert words in refused(tmp_path / name), name


def test_packs_that_lack_a_part(tmp_path: Path, refused: Callable[..., str]) -> None:
    (plain(tmp_path / "x") / "det.onnx").unlink()
    assert "to use the recogniser with the detector of compact, add its file alone" in refused(tmp_path / "x")
    (plain(tmp_path / "y") / "rec.onnx").unlink()
    assert "contains no recognition model" in refused(tmp_path / "y")
    assert "a detector alone is not a pack" in refused(DETECTOR)
    assert "not a face recogniser that insightface supports" in refused(SHIPPED.files["occlusion"].path)


def test_a_damaged_pack_with_checksums(tmp_path: Path, refused: Callable[..., str]) -> None:
    shutil.copytree(SHIPPED.folder, tmp_path / "x")
    shutil.copy(RECOGNISER, tmp_path / "x" / "det.onnx")
    message = refused(zipped_tree(tmp_path / "x", tmp_path / "x.zip"), name="ours")
    assert message.startswith(f"{tmp_path / 'x.zip'}: ours/det.onnx: damaged (sha256 differs")


def zipped_tree(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(each, each.relative_to(folder))
    return path


def test_weights_in_another_file(tmp_path: Path, refused: Callable[..., str]) -> None:
    model, folder, weights = onnx.load(str(RECOGNISER)), plain(tmp_path / "x"), "secrets.txt"
    onnx.save_model(model, str(folder / "rec.onnx"), save_as_external_data=True, location=weights, size_threshold=0)
    assert (folder / weights).is_file()
    assert "keeps its weights in another file" in refused(folder / "rec.onnx")
    assert "keeps its weights in another file" in refused(folder)


def normalising(path: Path, names: tuple[str, str]) -> Path:
    """The shipped recogniser with its normalisation in the graph, in two nodes with these names."""
    model = onnx.load(str(RECOGNISER))
    graph = model.graph
    graph.initializer.extend(
        numpy_helper.from_array(np.float32(value), f"norm_{at}") for at, value in enumerate((127.5, 1 / 127.5))
    )
    old = next(entry.name for entry in graph.input if entry.name not in {weight.name for weight in graph.initializer})
    for node in graph.node:
        node.input[:] = ["normalised" if name == old else name for name in node.input]
    first = [
        onnx.helper.make_node("Sub", [old, "norm_0"], ["centred"], name=names[0]),
        onnx.helper.make_node("Mul", ["centred", "norm_1"], ["normalised"], name=names[1]),
    ]
    nodes = [*first, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, str(path))
    return path


@pytest.mark.slow
def test_a_recogniser_that_would_be_normalised_twice(
    tmp_path: Path, add: Callable[..., Added], refused: Callable[..., str]
) -> None:
    """insightface relies on the nodes' names: without them it normalises as well, and all embeddings are similar."""
    message = refused(normalising(tmp_path / "twice.onnx", ("mean", "scale")))
    assert message.startswith(
        f"{tmp_path / 'twice.onnx'}: twice/rec.onnx: does not distinguish the people in the trial photo"
    )
    assert "it seems to normalise its input, which insightface does as well" in message
    assert add(normalising(tmp_path / "once.onnx", ("Sub_mean", "Mul_scale"))).trial.other < 0.5


def test_a_recogniser_that_was_not_trained(tmp_path: Path, refused: Callable[..., str]) -> None:
    weight = numpy_helper.from_array(np.random.default_rng(0).normal(0, 1, (16, 3 * 112 * 112)).astype(np.float32), "w")
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Flatten", ["data"], ["flat"]),
            onnx.helper.make_node("Gemm", ["flat", "w"], ["out"], transB=1),
        ],
        "random",
        [onnx.helper.make_tensor_value_info("data", 1, ["n", 3, 112, 112])],
        [onnx.helper.make_tensor_value_info("out", 1, ["n", 16])],
        [weight],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(tmp_path / "random.onnx"))
    assert "does not distinguish the people in the trial photo" in refused(tmp_path / "random.onnx")


def test_no_file_remains_after_a_full_disk_or_a_failed_move(
    tmp_path: Path, to: Path, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    to.mkdir(parents=True)
    source = plain(tmp_path / "mine")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(source / "det.onnx"))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        assert refused(source) == f"{to}: cannot be written (No space left on device); nothing was added"
    with monkeypatch.context() as patch:
        patch.setattr(place_module, "try_out", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            add_own(source, to=to, folders=[to])
    assert list(to.iterdir()) == []


def test_a_destination_that_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(PackError, match=r"cannot be written \((Not a directory|File exists)\)"):
        add_own(plain(tmp_path / "mine"), to=tmp_path / "file" / "models")


def test_unfinished_packs_are_not_found(tmp_path: Path) -> None:
    plain(tmp_path / ".mine-x")
    assert list(scan_packs([tmp_path])) == []
