from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from relightflow.errors import RefusedError
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import FileState, SinkFailed
from relightflow.sinks.base import FILES, AggregateSink, FolderSink, folder_options


def context(folder: Path, path: str = "out") -> SinkContext:
    return SinkContext(folder, FrozenMap({"path": path}), recipe="r")


def test_a_folder_holds_what_was_written_and_gives_it_back_within_its_bound(tmp_path: Path) -> None:
    sink = FolderSink(context(tmp_path))
    receipt = sink.write("a/b.png", b"data", "image/png")
    assert sink.location == str(tmp_path / "out")
    assert receipt.sha256 == hashlib.sha256(b"data").hexdigest()
    assert sink.check("a/b.png", receipt, receipt.sha256) is FileState.SAME
    assert (sink.read("a/b.png", 4), sink.read("a/b.png", 3)) == (b"data", None)
    assert sink.read("none.png", 4) is None


def test_a_path_out_of_the_project_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        FolderSink(context(tmp_path, "../out"))


def test_a_sink_that_gathers_takes_no_single_image(tmp_path: Path) -> None:
    with pytest.raises(SinkFailed, match="does not accept single images"):
        AggregateSink(context(tmp_path)).write("a.png", b"data", "image/png")
    assert not (tmp_path / "out").exists()


def test_its_options_are_a_path_and_those_that_are_named() -> None:
    schema = Draft7Validator(folder_options(FILES))
    assert schema.is_valid({"path": "out", "name": "{index}.{ext}"})
    for wrong in ({}, {"path": ""}, {"path": "out", "nam": "x"}, {"path": "out", "name": ""}):
        assert not schema.is_valid(wrong)
