from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.errors import RefusedError, StorageError, UsageError
from relightflow.report.gallery import ImageRequest
from relightflow.report.gallery.publish import write
from tests.gallery.conftest import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_an_earlier_gallery_left_is_removed_and_nothing_else(stage: Stage) -> None:
    out = stage.folder / "report"
    write([stage.run(["a.png", "b.png"])], ImageRequest(out), None)
    before = files(out)
    mine = ("notes.txt", "t/ab/mine.webp", "data-old.js")
    for name in mine:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("mine")
    write([stage.run(["a.png"])], ImageRequest(out), None)
    after = files(out)
    assert set(mine) <= set(after)
    gone = set(before) - set(after)
    assert gone, "thumbnails of the other image"
    assert all(name.startswith("t/") for name in gone)


def test_the_same_gallery_twice_touches_no_file(stage: Stage) -> None:
    out = stage.folder / "report"
    made = write([stage.run()], ImageRequest(out), None)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    assert write([stage.run()], ImageRequest(out), None) == made
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_page_of_somebody_else_is_left_alone_before_anything_is_written(stage: Stage) -> None:
    out = stage.folder / "report"
    out.mkdir()
    (out / "index.html").write_text("<h1>mine</h1>")
    with pytest.raises(RefusedError, match="was not written by relightflow, so nothing was"):
        write([stage.run()], ImageRequest(out), None)
    assert files(out) == {"index.html": b"<h1>mine</h1>"}
    write([stage.run()], ImageRequest(out, overwrite=True), None)
    assert b"mine" not in files(out)["index.html"]


def test_a_zip_has_the_same_bytes_every_time_and_leaves_no_part(stage: Stage) -> None:
    out = stage.folder / "new/a.zip"
    versions = []
    for _ in range(2):
        assert write([stage.run()], ImageRequest(out, as_zip=True), None).page == out
        versions.append(out.read_bytes())
    assert versions[0] == versions[1]
    with zipfile.ZipFile(out) as packed:
        assert all(name.startswith("gallery/") for name in packed.namelist())
        assert packed.testzip() is None
    assert [path.name for path in out.parent.iterdir()] == ["a.zip"]


def test_only_the_values_asked_for_are_shown(stage: Stage) -> None:
    run = stage.run(["shoes/a.png", "b.png"], {"n": (1, 2), "light": ("left",)})

    def cells(*only: tuple[str, tuple[str, ...]]) -> int:
        out = stage.folder / "report"
        return write([run], ImageRequest(out, only=only), stage.folder / "cache").cells

    assert cells(("n", ("1",))) == 2
    assert cells(("n", ("1", "2")), ("image", ("shoes/*",))) == 2
    assert cells(("n", ("3",))) == 0
    with pytest.raises(UsageError, match="--only colour: unknown axis; axes: image, light, n"):
        cells(("colour", ("red",)))


def test_failures_alone_can_be_shown(stage: Stage) -> None:
    run = stage.run(["a.png"], {"n": (1, 2)})
    failed = replace(run.entries[0], status="failed", sha256="", reason="no")
    run = replace(run, entries=[failed, run.entries[1]])
    made = write([run], ImageRequest(stage.folder / "report", failed=True), None)
    assert (made.cells, made.images) == (1, 0)


def test_thumbnails_that_the_cache_holds_are_not_made_again(stage: Stage) -> None:
    cache, out = stage.folder / "cache", stage.folder / "report"
    told: list[tuple[int, int]] = []
    first = write([stage.run()], ImageRequest(out), cache, lambda *of: told.append(of))
    assert first.thumbnails > 0
    assert told[-1] == (first.thumbnails, first.thumbnails)
    assert write([stage.run()], ImageRequest(out), cache).thumbnails == 0


def test_a_place_that_cannot_be_written_is_told(stage: Stage) -> None:
    (stage.folder / "file").write_text("")
    for as_zip in (True, False):
        with pytest.raises(StorageError, match="cannot be written"):
            write([stage.run()], ImageRequest(stage.folder / "file/x", as_zip=as_zip), None)
