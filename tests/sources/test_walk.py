from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from relightflow.sources.patterns import Patterns
from relightflow.sources.walk import FoundFile, Unmeant, Unusable, Walk

Put = Callable[..., Path]


def walk(
    folder: Path, *include: str, exclude: tuple[str, ...] = (), avoid: tuple[Path, ...] = ()
) -> list[FoundFile | Unusable]:
    patterns, leave_out = Patterns(include), Patterns(exclude, hidden=True)
    found = Walk(str(folder), patterns, leave_out, frozenset(map(str, avoid))).found()
    usable = (item for item in found if not isinstance(item, Unmeant))
    return sorted(usable, key=lambda item: item.name)


def names(items: list[FoundFile | Unusable]) -> list[str]:
    assert all(isinstance(item, FoundFile) for item in items), items
    return [item.name for item in items]


def only(items: list[FoundFile | Unusable]) -> Unusable:
    (item,) = items
    assert isinstance(item, Unusable)
    return item


def test_finds_what_the_patterns_mean_once_each(project: Path, put: Put) -> None:
    for name in ("a.jpg", "x/b.jpg", "x/y/c.jpg", "x/d.png"):
        put(name)
    assert names(walk(project, "**/*.jpg", "x/*")) == ["a.jpg", "x/b.jpg", "x/d.png", "x/y/c.jpg"]


def test_an_excluded_file_or_folder_is_left_out(project: Path, put: Put) -> None:
    for name in ("a.jpg", "draft-1.jpg", "x/draft-2.jpg", "old/b.jpg", "old/deep/c.jpg"):
        put(name)
    assert names(walk(project, "**/*.jpg", exclude=("**/draft-*", "old"))) == ["a.jpg"]
    assert names(walk(project, "**/*.jpg", exclude=("old/**", "**/draft-*"))) == ["a.jpg"]


def test_the_state_folder_is_never_looked_into(project: Path, put: Put) -> None:
    put(".relightflow/blobs/a.jpg")
    put("x/.relightflow/a.jpg")
    assert walk(project, "**/*.jpg", ".relightflow/**/*.jpg", "x/.relightflow/*") == []


def test_a_link_into_the_state_folder_is_refused(project: Path, put: Put) -> None:
    put(".relightflow/blobs/a.jpg")
    (project / "x.jpg").symlink_to(project / ".relightflow/blobs/a.jpg")
    assert only(walk(project, "*.jpg")).refused


def test_a_sinks_folder_is_passed_over_and_named_only_if_a_pattern_asks_for_it(
    project: Path, put: Put
) -> None:
    put("a.jpg")
    put("out/b.jpg")
    assert names(walk(project, "**/*.jpg", avoid=(project / "out",))) == ["a.jpg"]
    told = only(walk(project, "out/*.jpg", avoid=(project / "out",)))
    assert told.name == "out"
    assert "a sink of this recipe writes" in told.reason


def test_hidden_files_are_found_only_by_patterns_that_say_so(project: Path, put: Put) -> None:
    put(".a.jpg")
    put(".x/b.jpg")
    assert walk(project, "**/*.jpg") == []
    assert names(walk(project, ".*.jpg", ".x/*.jpg")) == [".a.jpg", ".x/b.jpg"]


def test_a_pipe_a_socket_and_a_folder_are_named_for_what_they_are(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(project / "pipe.jpg")
    (project / "folder.jpg").mkdir()
    monkeypatch.chdir(project)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        items = walk(project, "*.jpg")
    assert [(item.name, item.reason) for item in items if isinstance(item, Unusable)] == [
        ("folder.jpg", "a folder, not an image"),
        ("pipe.jpg", "a pipe, not an image"),
        ("socket.jpg", "a socket, not an image"),
    ]


def test_a_device_is_named(tmp_path: Path) -> None:
    assert only(walk(Path("/dev"), "null")).reason == "a device, not an image"


def test_folders_that_only_a_star_matched_are_no_news(project: Path, put: Put) -> None:
    put("a.jpg")
    put("sub/b.jpg")
    assert names(walk(project, "*")) == ["a.jpg"]


def test_a_link_to_a_file_inside_is_followed_to_a_path_without_links(
    project: Path, put: Put
) -> None:
    put("real/a.jpg")
    (project / "b.jpg").symlink_to("real/a.jpg")
    (item,) = walk(project, "*.jpg")
    assert isinstance(item, FoundFile)
    assert (item.name, item.path) == ("b.jpg", str(project / "real/a.jpg"))


@pytest.mark.parametrize("pattern", ["*.jpg", "**/*.jpg", "x.jpg"])
def test_a_link_out_of_the_project_is_refused(project: Path, tmp_path: Path, pattern: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"private")
    (project / "x.jpg").symlink_to(tmp_path / "secret.jpg")
    told = only(walk(project, pattern))
    assert told.refused
    assert "leaves the recipe's project" in told.reason


def test_a_sibling_folder_with_the_same_beginning_is_outside(project: Path, tmp_path: Path) -> None:
    (tmp_path / "project-2").mkdir()
    (tmp_path / "project-2/a.jpg").write_bytes(b"")
    (project / "x.jpg").symlink_to(tmp_path / "project-2/a.jpg")
    assert only(walk(project, "*.jpg")).refused


def test_a_linked_folder_outside_is_refused_where_a_pattern_names_it(
    project: Path, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    (project / "photos").symlink_to(tmp_path / "photos")
    assert only(walk(project, "photos/*.jpg")).refused
    assert walk(project, "**/*.jpg") == []


def test_a_dangling_link_and_a_link_to_itself_are_named(project: Path) -> None:
    (project / "gone.jpg").symlink_to("nowhere.jpg")
    (project / "self.jpg").symlink_to("self.jpg")
    reasons = {item.name: item.reason for item in walk(project, "*") if isinstance(item, Unusable)}
    assert reasons == dict.fromkeys(["gone.jpg", "self.jpg"], "broken symbolic link")


def test_loops_of_linked_folders_end(project: Path, put: Put) -> None:
    put("a/1.jpg")
    put("b/2.jpg")
    (project / "a/up").symlink_to(project)
    (project / "a/link").symlink_to(project / "b")
    (project / "b/link").symlink_to(project / "a")
    assert names(walk(project, "**/*.jpg")) == ["a/1.jpg", "b/2.jpg"]
    assert names(walk(project, "**/link/**/*.jpg")) == [
        "a/link/2.jpg",
        "a/link/link/1.jpg",
        "b/link/1.jpg",
        "b/link/link/2.jpg",
    ]


def test_a_thousand_nested_folders_are_no_problem(project: Path) -> None:
    here = os.open(project, os.O_RDONLY)
    for _ in range(1000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("a.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    try:
        assert names(walk(project, "**/*.jpg")) == ["d/" * 1000 + "a.jpg"]
    finally:  # too deep for those who clean up after the tests
        subprocess.run(["rm", "-rf", project / "d"], check=True)
