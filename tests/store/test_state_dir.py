from __future__ import annotations

import stat
from pathlib import Path

import pytest

from relightflow.errors import StorageError
from relightflow.store.state_dir import StateDir, locate


def test_the_folder_is_private_and_ignored_by_git_and_backups(tmp_path: Path) -> None:
    state_dir = StateDir(tmp_path / ".relightflow")
    state_dir.create()
    state_dir.create()
    for folder in (state_dir.root, state_dir.blobs, state_dir.runs, state_dir.cache):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (state_dir.root / ".gitignore").read_text() == "*\n"
    assert (
        (state_dir.root / "CACHEDIR.TAG")
        .read_text()
        .startswith("Signature: 8a477f597d28d172789f06")
    )


def test_a_place_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"nothing was sent.*--state"):
        StateDir(tmp_path / "file" / "state").create()


def test_the_option_comes_before_the_environment_and_both_before_the_search(tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    environ = {"RELIGHTFLOW_STATE": str(tmp_path / "env")}
    assert locate(recipe, tmp_path / "option", environ).root == tmp_path / "option"
    assert locate(recipe, None, environ).root == tmp_path / "env"


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (["a/.relightflow", "a/b/.git"], "a/.relightflow"),
        (["a/.git"], "a/.relightflow"),
        (["a/b/.relightflow", "a/.relightflow"], "a/b/.relightflow"),
    ],
)
def test_the_nearest_state_then_the_git_root(tmp_path: Path, made: list[str], found: str) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    for folder in made:
        (tmp_path / folder).mkdir(parents=True)
    assert locate(tmp_path / "a/b/c/r.yaml", None, {}).root == tmp_path / found
    assert not (tmp_path / "a/b/c/.relightflow").exists()


def test_else_the_recipes_own_folder(tmp_path: Path) -> None:
    assert locate(tmp_path / "r.yaml", None, {}).root == tmp_path / ".relightflow"
