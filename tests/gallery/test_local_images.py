"""A manifest may be a stranger's: where its paths lead, and which bytes are believed."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from relightflow.gallery.entries import Entry, Input
from relightflow.gallery.local_images import LocalImages
from relightflow.model.values import FrozenMap

DATA = b"the result"
SHA = sha256(DATA).hexdigest()


def entry(**facts: Any) -> Entry:
    given: dict[str, Any] = {"path": "a/x.png", "sha256": SHA, "size": len(DATA)}
    return Entry("0" * 16, Input("a.png", "1" * 64), FrozenMap(), 0, "done", **(given | facts))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the result in it, and a secret of the same length outside."""
    (tmp_path / "out/a").mkdir(parents=True)
    (tmp_path / "out/a/x.png").write_bytes(DATA)
    (tmp_path / "secret").write_bytes(b"the secret")
    return tmp_path / "out"


def test_a_result_beside_its_manifest_is_found(folder: Path) -> None:
    images = LocalImages(None, folder)
    assert images.result(entry()) == DATA
    assert images.result_file(entry()) == folder / "a/x.png"


@pytest.mark.parametrize(
    "path",
    ["../secret", "a/../../secret", "/etc/passwd", "a//x.png", "./a/x.png", "", "a", "none.png",
     "a/\0x", "a/\ud800.png", "a/x.png/y"],
)  # fmt: skip
def test_a_path_that_is_not_a_file_inside_the_folder_leads_nowhere(folder: Path, path: str) -> None:
    images = LocalImages(None, folder)
    assert images.result(entry(path=path)) is None
    assert images.result_file(entry(path=path)) is None


def test_no_link_is_followed(folder: Path) -> None:
    (folder / "link.png").symlink_to(folder.parent / "secret")
    (folder / "up").symlink_to(folder.parent)
    images = LocalImages(None, folder)
    for path in ("link.png", "up/secret"):
        assert images.result(entry(path=path)) is None
        assert images.result_file(entry(path=path)) is None


def test_a_pipe_does_not_hold_the_page_up(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    assert LocalImages(None, folder).result(entry(path="pipe.png", size=0)) is None


def test_an_edited_file_is_not_the_result(folder: Path) -> None:
    (folder / "a/x.png").write_bytes(b"THE RESULT")
    assert LocalImages(None, folder).result(entry()) is None
    (folder / "a/x.png").write_bytes(DATA + b"!")
    assert LocalImages(None, folder).result_file(entry()) is None


def test_a_copy_in_another_form_is_told_by_its_size(folder: Path) -> None:
    copied = entry(sha256="3" * 64, size=999, delivered=len(DATA))
    images = LocalImages(None, folder)
    assert images.result(copied) == DATA
    assert images.result_file(copied) == folder / "a/x.png"


def test_the_store_comes_before_the_folder_and_the_folder_where_it_has_nothing(
    folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "blobs"
    images = LocalImages(store, folder)
    assert images.result(entry()) == DATA, "from the folder"
    (store / SHA[:2]).mkdir(parents=True)
    (store / SHA[:2] / SHA).write_bytes(DATA)
    elsewhere = entry(path="gone.png")
    assert images.result(elsewhere) == DATA
    assert images.result_file(elsewhere) == store / SHA[:2] / SHA


def test_whoever_gives_results_is_asked_first(folder: Path) -> None:
    images = LocalImages(None, folder, read_result=lambda _: b"given")
    assert images.result(entry()) == b"given"
