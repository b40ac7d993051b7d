"""All worktrees of a repository share the state of the main one. With the real git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from relightflow.store.state_dir import locate
from relightflow.store.worktrees import main_worktree


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    git(root, "init", "-q")
    (root / "recipe.yaml").write_text("")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    return root


def test_a_worktree_shares_the_main_one_s_state(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    for root in (repository, tmp_path / "other"):
        assert locate(root / "recipe.yaml", None, {}).root == repository / ".relightflow"


def test_the_worktrees_of_a_bare_repository_share_its_folder(
    repository: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    git(tmp_path / "bare.git", "worktree", "add", "-q", str(tmp_path / "one"), "-b", "one")
    git(tmp_path / "bare.git", "worktree", "add", "-q", str(tmp_path / "two"), "-b", "two")
    found = {locate(tmp_path / n / "recipe.yaml", None, {}).root for n in ("one", "two")}
    assert found == {tmp_path / "bare.git" / ".relightflow"}


def test_a_submodule_has_its_own_state(repository: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    allowed = ("-c", "protocol.file.allow=always")
    git(outer, *allowed, "submodule", "add", "-q", str(repository), "inner")
    assert main_worktree(outer / "inner") == outer / "inner"


def test_a_git_file_that_the_repository_does_not_know_leads_nowhere(
    repository: Path, tmp_path: Path
) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / ".git").write_bytes((tmp_path / "other" / ".git").read_bytes())
    assert main_worktree(stranger) == stranger
