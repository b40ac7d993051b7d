from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import RefusedError
from relightflow.model.catalog import FREE, Model
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import FileState, FinishedRun
from relightflow.sinks.directory import Directory

DATA = b"an image"
SHA = hashlib.sha256(DATA).hexdigest()


def sink(folder: Path, path: str = "out/") -> Directory:
    return Directory(SinkContext(folder, FrozenMap({"path": path}), recipe="r"))


def finished(folder: Path, manifest: bytes) -> FinishedRun:
    path = folder / "run.jsonl"
    path.write_bytes(manifest)
    backend = BackendSpec("fake", Model("m", (), FREE), FrozenMap())
    recipe = Recipe("r", folder / "r.yaml", "00" * 32, (), backend)
    nothing: Iterator[Any] = iter(())
    return FinishedRun(recipe, (), lambda: nothing, _no, _no, lambda: nothing, path)


def _no(_: object) -> bytes:
    raise AssertionError("a directory needs no bytes to finish")


def test_its_place_is_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert sink(Path("recipes")).location == str(tmp_path / "recipes/out")


def test_an_image_written_is_there_with_its_stamp(tmp_path: Path) -> None:
    out = sink(tmp_path)
    receipt = out.write("a/b.png", DATA, "image/png")
    assert (tmp_path / "out/a/b.png").read_bytes() == DATA
    assert receipt.sha256 == SHA
    assert out.check("a/b.png", receipt, SHA) is FileState.SAME


def test_the_manifest_lies_beside_the_images_byte_for_byte(tmp_path: Path) -> None:
    (artifact,) = sink(tmp_path).finalize(finished(tmp_path, b'{"a": 1}\n'))
    assert artifact.path == "manifest.jsonl"
    assert artifact.receipt.sha256 == hashlib.sha256(b'{"a": 1}\n').hexdigest()
    assert (tmp_path / "out/manifest.jsonl").read_bytes() == b'{"a": 1}\n'


def test_a_manifest_that_did_not_change_is_not_touched(tmp_path: Path) -> None:
    same = b'{"record":"recipe","format":1}\n'
    out = sink(tmp_path)
    out.finalize(finished(tmp_path, same))
    before = (tmp_path / "out/manifest.jsonl").stat()
    out.finalize(finished(tmp_path, same))
    assert (tmp_path / "out/manifest.jsonl").stat() == before


def test_a_recipe_cannot_send_images_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        sink(tmp_path, "../elsewhere")
