"""The sink writes what `report` writes, and leaves alone what is not its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.plugins.sink import SinkFailed
from tests.sinks.samples import sample, sink


def test_every_cell_of_the_run_is_on_the_page(tmp_path: Path) -> None:
    made = sink("gallery", tmp_path).finalize(sample(tmp_path))
    paths = {artifact.path for artifact in made}
    assert {"index.html", "app.js", "app.css", "data.js"} <= paths
    assert sum(path.endswith(".webp") for path in paths) == 4, "three results and their input"
    data = (tmp_path / "recipe/out/data.js").read_text()
    assert '"done":3,"failed":1' in data


def test_what_it_does_not_make_any_more_goes(tmp_path: Path) -> None:
    run = sample(tmp_path)
    first = sink("gallery", tmp_path).finalize(run)
    held = tuple(artifact.path for artifact in first)
    nothing = replace(run, outputs=lambda: iter(()), records=lambda: iter(list(run.records())[:1]))
    sink("gallery", tmp_path).finalize(replace(nothing, held=held))
    assert not list((tmp_path / "recipe/out").rglob("*.webp"))


def test_a_page_of_somebody_else_stays(tmp_path: Path) -> None:
    out = tmp_path / "recipe/out"
    out.mkdir(parents=True)
    (out / "index.html").write_text("mine")
    with pytest.raises(SinkFailed, match="was not written by relightflow"):
        sink("gallery", tmp_path).finalize(sample(tmp_path))
    assert (out / "index.html").read_text() == "mine"
    sink("gallery", tmp_path).finalize(replace(sample(tmp_path), overwrite=True))
    assert (out / "index.html").read_text() != "mine"


def test_thumbnails_are_kept_in_the_cache(tmp_path: Path) -> None:
    run = replace(sample(tmp_path), cache=tmp_path / "cache")
    sink("gallery", tmp_path).finalize(run)
    kept = list((tmp_path / "cache/thumbnails/256").rglob("*.webp"))
    assert len(kept) == 4
    never = replace(run, read=lambda _: pytest.fail("read again"), original=lambda _: b"")
    sink("gallery", tmp_path, path="again").finalize(never)


def test_full_images_are_copied_where_asked(tmp_path: Path) -> None:
    sink("gallery", tmp_path, full="copy").finalize(sample(tmp_path))
    assert len(list((tmp_path / "recipe/out/i").rglob("*.png"))) == 4
    head = json.loads(
        (tmp_path / "recipe/out/data.js").read_text().split(".push(")[1].rsplit(");", 1)[0]
    )
    assert all(folder.startswith("i/") for folder in head["folders"])
