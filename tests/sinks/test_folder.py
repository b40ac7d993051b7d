from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from relightflow.core.project import Project
from relightflow.errors import RefusedError
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import FileState, WriteReceipt
from relightflow.sinks import folder
from relightflow.sinks.folder import Folder

DATA = b"an image"
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def out(tmp_path: Path) -> Folder:
    return Folder(tmp_path, "out")


@pytest.mark.parametrize("path", ["out", "out/", "./out", "./out/."])
def test_one_place_has_one_spelling(tmp_path: Path, path: str) -> None:
    assert Folder(tmp_path, path).location == str(tmp_path / "out")


def test_the_recipes_own_folder_is_a_place(tmp_path: Path) -> None:
    location = Folder(tmp_path, ".")
    location.write("a.png", DATA, SHA)
    assert location.location == str(tmp_path)
    assert (tmp_path / "a.png").read_bytes() == DATA


@pytest.mark.parametrize("path", ["..", "../out", "/tmp/out", "a/../../out", "a\0b", "/"])
def test_a_path_out_of_the_recipes_folder_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(RefusedError, match="must be inside"):
        Folder(tmp_path, path)


def test_what_was_written_is_the_same(out: Folder) -> None:
    receipt = out.write("x/a.png", DATA, SHA)
    assert (receipt.sha256, receipt.size) == (SHA, len(DATA))
    assert out.check("x/a.png", receipt, SHA) is FileState.SAME


def test_an_untouched_file_is_recognised_without_reading(
    out: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = out.write("a.png", DATA, SHA)
    monkeypatch.setattr(folder, "_sha256", None)
    assert out.check("a.png", receipt, SHA) is FileState.SAME


def test_a_file_whose_mark_is_unknown_is_recognised_by_its_bytes(out: Folder) -> None:
    out.write("a.png", DATA, SHA)
    assert out.check("a.png", None, SHA) is FileState.SAME
    assert out.check("a.png", WriteReceipt(SHA, len(DATA), "0-0"), SHA) is FileState.SAME


def test_a_stamp_of_other_bytes_proves_nothing(out: Folder) -> None:
    receipt = out.write("a.png", DATA, SHA)
    assert out.check("a.png", receipt, "00" * 32) is FileState.EDITED


def test_an_edited_file_is_seen_even_with_its_size_and_time_put_back(
    out: Folder, tmp_path: Path
) -> None:
    receipt = out.write("a.png", DATA, SHA)
    path = tmp_path / "out/a.png"
    before = path.stat()
    path.rename(tmp_path / "kept")
    path.write_bytes(DATA[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert out.check("a.png", receipt, SHA) is FileState.EDITED


def test_a_deleted_file_is_missing(out: Folder, tmp_path: Path) -> None:
    receipt = out.write("x/a.png", DATA, SHA)
    (tmp_path / "out/x/a.png").unlink()
    assert out.check("x/a.png", receipt, SHA) is FileState.MISSING
    (tmp_path / "out/x").rmdir()
    assert out.check("x/a.png", receipt, SHA) is FileState.MISSING
    (tmp_path / "out").rmdir()
    assert out.check("x/a.png", receipt, SHA) is FileState.MISSING


def test_an_empty_file_is_what_a_power_cut_left_and_missing(out: Folder, tmp_path: Path) -> None:
    receipt = out.write("a.png", DATA, SHA)
    (tmp_path / "out/a.png").write_bytes(b"")
    assert out.check("a.png", receipt, SHA) is FileState.MISSING


def test_a_pipe_or_a_folder_in_the_place_is_somebodys_work(out: Folder, tmp_path: Path) -> None:
    (tmp_path / "out/b.png").mkdir(parents=True)
    os.mkfifo(tmp_path / "out/a.png")
    assert out.check("a.png", None, SHA) is FileState.EDITED
    assert out.check("b.png", None, SHA) is FileState.EDITED


def test_a_link_in_the_way_is_refused_by_look_and_by_write(out: Folder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.png").write_bytes(DATA)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "out/a.png").symlink_to(tmp_path / "elsewhere/a.png")
    for path in ("x/a.png", "a.png"):
        with pytest.raises(RefusedError, match="symbolic link"):
            out.check(path, None, SHA)
        with pytest.raises(RefusedError, match="symbolic link"):
            out.write(path, b"other", SHA)
    assert (tmp_path / "elsewhere/a.png").read_bytes() == DATA


def test_a_place_that_is_itself_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match="symbolic link"):
        Folder(tmp_path, "out").write("a.png", DATA, SHA)


@pytest.mark.parametrize("path", ["../a.png", "/a.png", "x/../../a.png", "a\0.png", ""])
def test_a_hostile_name_is_refused(out: Folder, tmp_path: Path, path: str) -> None:
    with pytest.raises(RefusedError):
        out.write(path, DATA, SHA)
    assert list(tmp_path.rglob("*.png")) == []


def test_a_copy_touches_only_what_differs(out: Folder, tmp_path: Path) -> None:
    source = tmp_path / "m"
    source.write_bytes(b"1\n2\n" * 400_000)
    receipt = out.copy(source, "m")
    assert (tmp_path / "out/m").read_bytes() == source.read_bytes()
    assert out.copy(source, "m") == receipt
    source.write_bytes(b"1\n3\n")
    assert out.copy(source, "m").sha256 == hashlib.sha256(b"1\n3\n").hexdigest()
    assert (tmp_path / "out/m").read_bytes() == b"1\n3\n"


def test_a_sink_may_write_beside_the_recipes_folder_and_not_out_of_the_project(
    tmp_path: Path,
) -> None:
    (tmp_path / ".git").mkdir()
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    place = SinkContext(recipes, FrozenMap({}), "r", project=Project.of(recipes)).place
    folder = Folder(recipes, "../out/a", place)
    assert folder.location == f"{tmp_path}/out/a"
    folder.write("x.png", DATA, SHA)
    assert (tmp_path / "out/a/x.png").read_bytes() == DATA
    assert Folder(recipes, "b/../out", place).location == f"{recipes}/out"
    for path in ("../../out", "a/../../../out", "/out"):
        with pytest.raises(RefusedError):
            Folder(recipes, path, place)


def test_no_link_is_followed_on_the_way_to_a_folder_beside_the_recipes(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    recipes, target = tmp_path / "recipes", tmp_path / "far/target"
    recipes.mkdir()
    target.mkdir(parents=True)
    place = SinkContext(recipes, FrozenMap({}), "r", project=Project.of(recipes)).place
    (tmp_path / "out").symlink_to(target)
    with pytest.raises(RefusedError, match="symbolic link"):
        Folder(recipes, "../out", place).write("x.png", DATA, SHA)
    (recipes / "link").symlink_to(target)
    with pytest.raises(RefusedError, match="after the symbolic link 'link'"):
        Folder(recipes, "link/../x", place)
    assert list(target.iterdir()) == []


def test_a_sink_beside_the_recipes_never_writes_into_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    place = SinkContext(recipes, FrozenMap({}), "r", project=Project.of(recipes)).place
    for path in ("../.git", "../.git/hooks", "../.relightflow"):
        with pytest.raises(RefusedError, match="belongs to another program"):
            Folder(recipes, path, place)
