"""git itself makes the indexes that are read."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from relightflow.store.git_index import entries, tracks

_ENVIRON = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
}  # fmt: skip


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, env=_ENVIRON, check=True, capture_output=True)


def filled(top: Path) -> Path:
    """A repository's files, with a state folder two folders down."""
    state = top / "a/b/.relightflow"
    state.mkdir(parents=True)
    for path in ("a/b/.relightflo", "a/b/.relightflow.txt", "a/b/.relightflowx", "z/é", "k" * 200):
        (top / path).parent.mkdir(exist_ok=True)
        (top / path).write_text("")
    (state / "ledger.sqlite3").write_text("")
    return state


KINDS: dict[str, list[list[str]]] = {
    "version 2": [["init"], ["update-index", "--index-version", "2"]],
    "version 4": [["init"], ["config", "index.version", "4"]],
    "hashes of 32 bytes": [["init", "--object-format=sha256"]],
    "hashes of 32 bytes, version 4": [
        ["init", "--object-format=sha256"],
        ["config", "index.version", "4"],
    ],
    "a split index": [["init"], ["config", "core.splitIndex", "true"]],
    "no checksum": [["init"], ["config", "index.skipHash", "true"]],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_folder_that_git_tracks_is_noticed_and_no_other(tmp_path: Path, kind: str) -> None:
    for command in KINDS[kind]:
        git(tmp_path, *command)
    state = filled(tmp_path)
    git(tmp_path, "add", ".", ":!a/b/.relightflow")
    assert not tracks(state)
    git(tmp_path, "add", "--force", "a/b/.relightflow/ledger.sqlite3")
    assert tracks(state)
    assert not tracks(tmp_path / "z/.relightflow")
    git(tmp_path, "rm", "--cached", "-r", "a/b/.relightflow")
    git(tmp_path, "update-index", "--force-write-index")
    assert not tracks(state) or kind == "a split index"  # whose older half still names it


def test_an_entry_that_is_to_be_added_counts(tmp_path: Path) -> None:
    """`add -N` makes an entry of the extended form, version 3."""
    git(tmp_path, "init")
    state = filled(tmp_path)
    git(tmp_path, "add", "-N", "--force", "a/b/.relightflow/ledger.sqlite3")
    assert tracks(state)


def test_a_link_or_a_repository_in_place_of_the_folder_counts(tmp_path: Path) -> None:
    git(tmp_path, "init")
    state = tmp_path / ".relightflow"
    state.symlink_to("elsewhere")
    git(tmp_path, "add", ".")
    assert tracks(state)


def test_a_worktree_has_an_index_of_its_own(tmp_path: Path) -> None:
    main, other = tmp_path / "main", tmp_path / "other"
    main.mkdir()
    git(main, "init", "--object-format=sha256")
    git(main, "commit", "--allow-empty", "-m", "begin")
    git(main, "worktree", "add", str(other))
    state = filled(other)
    git(other, "add", "--force", ".")
    assert tracks(state)
    assert not tracks(main / "a/b/.relightflow")


@pytest.mark.parametrize("data", [b"", b"DIRC", b"DIRC\0\0\0\2\xff\xff\xff\xff", b"x" * 100])
def test_what_is_no_index_says_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/index").write_bytes(data)
    assert not tracks(tmp_path / ".relightflow")


def test_a_path_that_takes_more_than_there_is_makes_no_sense() -> None:
    entry = bytes(60) + b"\0\0" + b"\x05" + b"a\0"
    with pytest.raises(ValueError, match="longer than its prefix"):
        list(entries(b"DIRC\0\0\0\4\0\0\0\1" + entry))


def test_nothing_in_the_repository_is_run(tmp_path: Path) -> None:
    git(tmp_path, "init")
    git(tmp_path, "config", "core.fsmonitor", f"touch {tmp_path}/ran; false")
    state = filled(tmp_path)
    tracks(state)
    assert not (tmp_path / "ran").exists()
