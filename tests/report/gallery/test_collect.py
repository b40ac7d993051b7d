from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import UsageError
from relightflow.report.gallery.collect import LARGEST, run_of_manifest
from relightflow.store.state_dir import StateDir

HEAD = {
    "record": "recipe",
    "format": 1,
    "recipe": {"name": "spring", "sha256": "0" * 64},
    "backend": "preview",
    "model": "preview",
}
RESULT = b"the result"
DONE = {
    "record": "output",
    "status": "done",
    "job": "a" * 16,
    "source": {"name": "a.png", "sha256": "1" * 64},
    "cell": {},
    "repeat": 0,
    "sha256": hashlib.sha256(RESULT).hexdigest(),
    "size": len(RESULT),
    "width": 4,
    "height": 3,
    "media_type": "image/png",
    "path": "a/x.png",
}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def writer(*records: Any) -> Path:
        path = tmp_path / "out/manifest.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return path

    return writer


@pytest.fixture
def state_dir(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / "nowhere")


def test_a_manifest_is_shown_as_it_was_written(write: Write, state_dir: StateDir) -> None:
    rejected = {"record": "rejected", "source": {"name": "b.png"}, "error": "empty"}
    path = write(HEAD, DONE, rejected)
    run = run_of_manifest(path, state_dir)
    assert (run.head.recipe, len(run.entries)) == ("spring", 1)
    assert [unused.name for unused in run.unused] == ["b.png"]
    assert run.manifest_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not state_dir.root.exists(), "a look makes no state"


def test_its_images_are_beside_it_whatever_the_folder_one_is_in(
    write: Write, state_dir: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(HEAD, DONE)
    (path.parent / "a").mkdir()
    (path.parent / "a/x.png").write_bytes(RESULT)
    monkeypatch.chdir(path.parent)
    run = run_of_manifest(Path("manifest.jsonl"), state_dir)
    assert run.images.result(run.entries[0]) == RESULT
    file = run.images.result_file(run.entries[0])
    assert file is not None
    assert file.is_absolute()


def test_records_without_a_head_are_no_manifest(write: Write, state_dir: StateDir) -> None:
    with pytest.raises(UsageError, match="its first record, of the recipe, is missing"):
        run_of_manifest(write(DONE), state_dir)


def test_a_line_separator_inside_a_text_does_not_end_a_line(
    write: Write, state_dir: StateDir
) -> None:
    path = write(HEAD)
    odd = DONE | {"source": {"name": "a\u2028\x0cb.png", "sha256": "1" * 64}}
    path.write_text(json.dumps(HEAD) + "\n" + json.dumps(odd, ensure_ascii=False) + "\n")
    (entry,) = run_of_manifest(path, state_dir).entries
    assert entry.input.name == "a\u2028\x0cb.png"


def test_what_is_not_a_regular_file_is_told_and_not_waited_for(
    tmp_path: Path, state_dir: StateDir
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "none", "No such file"),
        (tmp_path, "is not a regular file"),
        (tmp_path / "pipe", "is not a regular file"),
    ):
        with pytest.raises(UsageError, match=words):
            run_of_manifest(path, state_dir)


def test_a_file_of_a_gigabyte_is_not_read(tmp_path: Path, state_dir: StateDir) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(LARGEST + 1)  # a hole, no bytes
    with pytest.raises(UsageError, match="is larger than 256 MiB"):
        run_of_manifest(tmp_path / "huge", state_dir)
