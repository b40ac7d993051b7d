from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relightflow.model.values import FrozenMap
from relightflow.plugins.sink import FinishedRun, SinkFailed
from tests.sinks.samples import named, of, sample, sink

PATH = "left.png"


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "recipe/out/metadata.jsonl").read_text(encoding="ascii")
    return [json.loads(line) for line in text.splitlines()]


def one(folder: Path) -> FinishedRun:
    """A run whose first output was delivered at PATH."""
    run = sample(folder)
    return of(run, list(run.outputs())[:1], path=PATH)


def test_a_line_names_its_file_and_its_light(tmp_path: Path) -> None:
    out = sink("imagefolder", tmp_path)
    out.write(PATH, b"x", "image/png")
    out.finalize(one(tmp_path))
    (line,) = lines(tmp_path)
    assert line["file_name"] == PATH
    assert line["source_name"] == "photos/sample.png"
    assert (line["light_direction"], line["light_type"]) == ("left", "softbox")
    assert line["caption"] == "light direction: left, light type: softbox"
    assert "source_file_name" not in line


def test_an_image_that_is_not_there_has_no_line(tmp_path: Path) -> None:
    sink("imagefolder", tmp_path).finalize(one(tmp_path))
    assert lines(tmp_path) == []


def test_sources_are_copied_once_and_named_in_every_line(tmp_path: Path) -> None:
    out = sink("imagefolder", tmp_path, sources=True)
    run = sample(tmp_path)
    done = of(run, list(run.outputs())[:3], path=PATH)
    out.write(PATH, b"x", "image/png")
    artifacts = {artifact.path: artifact for artifact in out.finalize(done)}
    names = {line["source_file_name"] for line in lines(tmp_path)}
    (name,) = names
    original = run.original(next(run.outputs())[0])
    assert (tmp_path / "recipe/out" / name).read_bytes() == original
    assert artifacts[name].receipt.sha256 == hashlib.sha256(original).hexdigest()
    assert len(list((tmp_path / "recipe/out/sources").iterdir())) == 1


def test_sources_that_are_no_longer_wanted_go(tmp_path: Path) -> None:
    out = sink("imagefolder", tmp_path, sources=True)
    made = tuple(artifact.path for artifact in out.finalize(sample(tmp_path)))
    sink("imagefolder", tmp_path).finalize(replace(one(tmp_path), held=made))
    assert not list((tmp_path / "recipe/out/sources").iterdir())


def test_an_edited_metadata_file_is_left_alone(tmp_path: Path) -> None:
    out = sink("imagefolder", tmp_path)
    mine = tmp_path / "recipe/out/metadata.jsonl"
    mine.parent.mkdir()
    mine.write_text("my own captions")
    artifacts = out.finalize(replace(one(tmp_path), edited=("metadata.jsonl",)))
    assert mine.read_text() == "my own captions"
    assert [artifact.path for artifact in artifacts] == ["manifest.jsonl", "README.md"]


def test_a_parameter_never_takes_the_place_of_our_columns(tmp_path: Path) -> None:
    run = sample(tmp_path)
    output, result = next(run.outputs())
    odd = replace(output, cell=FrozenMap({"file_name": "../../etc/passwd"}))
    out = sink("imagefolder", tmp_path)
    out.write(PATH, b"x", "image/png")
    out.finalize(of(run, [(odd, result)], path=PATH))
    (line,) = lines(tmp_path)
    assert line["file_name"] == PATH
    assert line["parameter_file_name"] == "../../etc/passwd"


def test_a_name_that_is_no_utf_8_does_not_stop_a_reader(tmp_path: Path) -> None:
    run = sample(tmp_path)
    out = sink("imagefolder", tmp_path)
    out.write(PATH, b"x", "image/png")
    out.finalize(of(run, named(run, "a\udc80.png")[:1], path=PATH))
    assert lines(tmp_path)[0]["source_name"] == "a\\udc80.png"


@pytest.mark.parametrize("path", ["metadata.jsonl", "METADATA.jsonl", "readme.md", "sources/a.png"])
def test_an_image_cannot_take_a_name_of_the_data_sets_own(tmp_path: Path, path: str) -> None:
    with pytest.raises(SinkFailed, match="use another `name`"):
        sink("imagefolder", tmp_path).write(path, b"x", "image/png")
