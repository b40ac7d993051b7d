from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.errors import RefusedError
from relightflow.sinks.places import check_place


@pytest.mark.parametrize("path", ["out", "out/a/b", "git", ".github", "relightflow", "a.git.b"])
def test_other_places_are_free(tmp_path: Path, path: str) -> None:
    check_place(tmp_path, path)


@pytest.mark.parametrize(
    "path",
    [
        ".git",
        ".git/hooks",
        "out/.GIT/config",
        ".git.",
        ".git ",
        "git~1",
        ".g\u200bit",
        ".relightflow/blobs",
        "a/.hg",
        ".SVN",
    ],
)
def test_no_spelling_of_another_programs_folder_is_written_to(tmp_path: Path, path: str) -> None:
    with pytest.raises(RefusedError, match=r"belongs to another program\. Use another folder"):
        check_place(tmp_path, path)


def test_a_link_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / ".git")
    with pytest.raises(RefusedError, match="it leads into"):
        check_place(tmp_path, "out/hooks")


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (("HEAD", "objects", "refs"), "is a repository of git"),
        (("HEAD", "gitdir", "commondir"), "is a worktree's repository of git"),
        (("ledger.sqlite3", "lock"), "is a state folder of relightflow"),
        (("ledger.sqlite3", "blobs"), "is a state folder of relightflow"),
    ],
)
def test_a_folder_that_is_one_by_its_content_is_one_under_any_name(
    tmp_path: Path, names: tuple[str, ...], what: str
) -> None:
    for name in names[:-1]:
        (tmp_path / name).touch()
    check_place(tmp_path, "out")
    (tmp_path / names[-1]).touch()
    with pytest.raises(RefusedError, match=what):
        check_place(tmp_path, "out")
    with pytest.raises(RefusedError, match=what):
        check_place(tmp_path / "out", "deeper")
