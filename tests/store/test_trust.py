from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import RefusedError
from relightflow.store.state_dir import StateDir, declared_models, locate
from relightflow.store.trust import check_state


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "project/.relightflow")
    made.root.parent.mkdir()
    made.create()
    for path in (made.ledger, made.lock, made.blobs / "index.jsonl"):
        path.write_text("")
    (made.blobs / "ab").mkdir()
    (made.runs / "one").mkdir()
    made.models.mkdir()
    check_state(made.root, named=False)
    return made


PARTS = (
    "", "blobs", "runs", "cache", "ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm",
    "lock", "blobs/index.jsonl", "blobs/ab", "blobs/aside", "runs/one", "runs/two", "cache/urls",
    "rebuilding", ".gitignore", "CACHEDIR.TAG", "models", "models/one.json",
)  # fmt: skip


@pytest.mark.parametrize("dangling", [False, True])
@pytest.mark.parametrize("part", PARTS)
def test_no_part_may_be_a_link(state: StateDir, tmp_path: Path, part: str, dangling: bool) -> None:
    path = state.root / part
    there = tmp_path / "elsewhere"
    if os.path.lexists(path):
        path.rename(there)
    elif not dangling:
        there.write_text("")
    if dangling:
        there = tmp_path / "nowhere"
    path.symlink_to(there)
    for named in (False, True):
        with pytest.raises(RefusedError, match=r"is a symbolic link.*Nothing was sent"):
            check_state(state.root, named)
    with pytest.raises(RefusedError):
        state.create()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("part", ["ledger.sqlite3", "lock", "blobs/index.jsonl"])
def test_no_file_that_is_written_in_place_has_a_second_name(
    state: StateDir, tmp_path: Path, part: str
) -> None:
    (tmp_path / "mine").hardlink_to(state.root / part)
    with pytest.raises(RefusedError, match="second name"):
        check_state(state.root, named=True)


@pytest.mark.parametrize("part", ["ledger.sqlite3", "lock", "blobs/index.jsonl"])
def test_a_pipe_is_refused_before_anybody_waits_for_it(state: StateDir, part: str) -> None:
    (state.root / part).unlink()
    os.mkfifo(state.root / part)
    with pytest.raises(RefusedError, match="not a regular file"):
        check_state(state.root, named=True)


@pytest.mark.parametrize("part", ["", "blobs", "ledger.sqlite3", "blobs/index.jsonl"])
def test_a_foreign_owner_is_refused_unless_the_operator_names_the_folder(
    state: StateDir, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    _belongs_to_another(monkeypatch, state.root / part)
    with pytest.raises(RefusedError, match="belongs to another user"):
        locate(state.root.parent / "recipe.yaml", None, {})
    assert locate(state.root.parent / "recipe.yaml", state.root, {}) == state
    named = {"RELIGHTFLOW_STATE": str(state.root)}
    assert locate(state.root.parent / "r.yaml", None, named) == state


def test_a_folder_above_that_belongs_to_another_user_is_neither_used_nor_passed_over(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = state.root.parent / "mine/recipe.yaml"
    below.parent.mkdir()
    _belongs_to_another(monkeypatch, state.root)
    with pytest.raises(RefusedError, match=r"another user.*a state of its own"):
        locate(below, None, {})
    assert locate(below, below.parent / "own", {}).root == below.parent / "own"


def test_under_sudo_the_callers_folder_is_ours(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = os.lstat(state.root).st_uid
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    _belongs_to_another(monkeypatch, state.root, uid=owner + 4000)
    check_state(state.root, False, {"SUDO_UID": str(owner + 4000)}) if owner == 0 else None
    with pytest.raises(RefusedError):
        check_state(state.root, False, {"SUDO_UID": "77"})


def test_a_link_is_no_obstacle_where_the_operator_names_what_it_leads_to(
    state: StateDir, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(state.root)
    assert locate(tmp_path / "r.yaml", tmp_path / "link", {}) == state


def test_a_dangling_link_is_a_state_that_was_found(tmp_path: Path) -> None:
    (tmp_path / ".relightflow").symlink_to("nowhere")
    with pytest.raises(RefusedError, match="symbolic link"):
        locate(tmp_path / "a/b/recipe.yaml", None, {})


def test_a_declared_model_is_ours_alone(
    state: StateDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It decides what is bought, and what that is taken to cost."""
    recipe, model = state.root.parent / "recipe.yaml", state.models / "one.json"
    model.write_text("{}")
    assert declared_models(recipe, None, {}) == state.models
    (tmp_path / "second").hardlink_to(model)
    with pytest.raises(RefusedError, match="second name"):
        declared_models(recipe, None, {})
    (tmp_path / "second").unlink()
    _belongs_to_another(monkeypatch, model)
    with pytest.raises(RefusedError, match="belongs to another user"):
        declared_models(recipe, None, {})
    assert declared_models(recipe, state.root, {}) == state.models, "the operator names it"


def test_declared_models_that_git_tracks_are_refused(state: StateDir) -> None:
    project = state.root.parent
    (state.models / "one.json").write_text("{}")
    for command in (("init", "-q"), ("add", "-f", ".relightflow/models/one.json")):
        subprocess.run(["git", *command], cwd=project, check=True)
    with pytest.raises(RefusedError, match="git tracks files in it"):
        declared_models(project / "recipe.yaml", None, {})


def test_what_is_not_there_is_fine(tmp_path: Path) -> None:
    check_state(tmp_path / "none", named=False)


def _belongs_to_another(
    monkeypatch: pytest.MonkeyPatch, part: Path, uid: int | None = None
) -> None:
    """Only root may give a file away, so the system's answer is changed instead."""
    own = os.lstat

    def lstat(path: Any, **options: Any) -> os.stat_result:
        facts = own(path, **options)
        if Path(path) != part:
            return facts
        changed = list(facts)
        changed[4] = facts.st_uid + 1 if uid is None else uid
        return os.stat_result(changed)

    monkeypatch.setattr(os, "lstat", lstat)
