from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from relightflow.errors import RefusedError, UsageError
from relightflow.model.catalog import FREE, Model
from relightflow.model.image import Image
from relightflow.model.job import Job, Output
from relightflow.model.outcome import Result
from relightflow.model.recipe import Axis, BackendSpec, Matrix, Recipe
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import FinishedRun, SinkFailed
from relightflow.plugins.source import StaleImage
from relightflow.sinks.contact_sheet import render
from relightflow.sinks.contact_sheet.sink import ContactSheet
from tests.sinks.contact_sheet.fontfile import font

DIRECTIONS, TYPES = ("left", "right"), ("softbox", "sunlight", "ambient")
SIZE = (60, 40)


def image(shade: int) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", SIZE, (shade, 0, 255 - shade)).save(out, "PNG")
    return out.getvalue()


@dataclass
class Run:
    """A finished run in memory: the images × two axes, each cell in a colour of its own."""

    folder: Path
    images: tuple[str, ...] = ("photos/a.png",)
    failed: set[tuple[str, str]] = field(default_factory=set)
    shift: int = 0
    read_count: int = 0
    stale: bool = False
    damaged: str = ""

    def __post_init__(self) -> None:
        self.store: dict[str, bytes] = {}

    def outputs(self) -> Iterator[tuple[Output, Result | None]]:
        index = 0
        for name in self.images:
            image = Image(name, hashlib.sha256(b"x").hexdigest(), 1, *SIZE, "image/png", 0, name)
            for at, (direction, kind) in enumerate(product(DIRECTIONS, TYPES)):
                cell = FrozenMap({"light_direction": direction, "light_type": kind})
                job = Job(f"{index:064x}", image, "fake", "m", cell, 0)
                yield Output(index, job, image, cell), self._result(at, (direction, kind))
                index += 1

    def _result(self, at: int, cell: tuple[str, str]) -> Result | None:
        if cell in self.failed:
            return None
        data = image(20 + 30 * at + self.shift)
        sha256 = hashlib.sha256(data).hexdigest()
        self.store[sha256] = data
        return Result(sha256, len(data), *SIZE, "image/png")

    def records(self) -> Iterator[dict[str, Any]]:
        yield {"record": "recipe"}
        for _, result in self.outputs():
            yield {"record": "output", "status": "done" if result else "failed"}

    def read(self, result: Result) -> bytes:
        self.read_count += 1
        return b"no image" if result.sha256 == self.damaged else self.store[result.sha256]

    def original(self, output: Output) -> bytes:
        if self.stale:
            raise StaleImage(f"{output.image.name} changed")
        return image(255)

    def finished(self) -> FinishedRun:
        axes = (Axis("light_direction", DIRECTIONS), Axis("light_type", TYPES))
        recipe = Recipe(
            "spring",
            self.folder / "r.yaml",
            "00" * 32,
            (),
            BackendSpec("fake", Model("m", (), FREE), FrozenMap()),
            Matrix(axes),
        )
        return FinishedRun(
            recipe,
            ("light_direction", "light_type"),
            self.outputs,
            self.read,
            self.original,
            self.records,
            self.folder / "manifest.jsonl",
        )


def sink(folder: Path, **options: object) -> ContactSheet:
    return ContactSheet(SinkContext(folder, FrozenMap({"path": "sheets", **options}), "spring"))


def pixels(path: Path) -> Any:
    with PIL.Image.open(path) as opened:
        return np.asarray(opened.convert("RGB")).astype(int)


def colours(path: Path) -> list[list[int]]:
    """The red of every image on a PNG sheet, line by line from the top, from left to right."""
    shown = pixels(path)
    vivid = (shown[:, :, 1] == 0) & (shown.sum(axis=2) == 255)
    found = []
    rows = np.flatnonzero(vivid.any(axis=1))
    for band in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
        line = shown[band[len(band) // 2]]
        columns = np.flatnonzero(vivid[band[len(band) // 2]])
        runs = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
        found.append([int(line[run[len(run) // 2], 0]) for run in runs])
    return found


def test_every_image_stands_in_its_row_and_column(tmp_path: Path) -> None:
    (artifact,) = sink(tmp_path, format="png").finalize(Run(tmp_path).finished())
    assert artifact.path == "a.png"
    assert colours(tmp_path / "sheets/a.png") == [[255], [20, 50, 80], [110, 140, 170]]


def test_rows_and_columns_can_be_turned(tmp_path: Path) -> None:
    sink(tmp_path, format="png", rows="light_type").finalize(Run(tmp_path).finished())
    assert colours(tmp_path / "sheets/a.png") == [[255], [20, 110], [50, 140], [80, 170]]


def test_an_image_that_is_not_there_leaves_a_neutral_tile(tmp_path: Path) -> None:
    run = Run(tmp_path, failed={("left", "sunlight"), ("right", "softbox")})
    sink(tmp_path, format="png").finalize(run.finished())
    assert colours(tmp_path / "sheets/a.png") == [[255], [20, 80], [140, 170]]
    assert (pixels(tmp_path / "sheets/a.png") == render._EMPTY).all(axis=2).sum() > 1000


def test_an_original_that_changed_does_not_stop_the_sheet(tmp_path: Path) -> None:
    sink(tmp_path, format="png").finalize(Run(tmp_path, stale=True).finished())
    assert colours(tmp_path / "sheets/a.png") == [[20, 50, 80], [110, 140, 170]]


def test_an_image_that_cannot_be_decoded_does_not_stop_the_sheet(tmp_path: Path) -> None:
    run = Run(tmp_path)
    first = next(result for _, result in run.outputs() if result)
    run.damaged = first.sha256
    sink(tmp_path, format="png").finalize(run.finished())
    assert colours(tmp_path / "sheets/a.png") == [[255], [50, 80], [110, 140, 170]]


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_the_same_run_gives_the_same_bytes(tmp_path: Path, kind: str) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (artifact,) = sink(tmp_path / name, format=kind).finalize(Run(tmp_path).finished())
        made.append((tmp_path / name / "sheets" / artifact.path).read_bytes())
        assert artifact.receipt.sha256 == hashlib.sha256(made[-1]).hexdigest()
    assert made[0] == made[1]


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_an_unchanged_sheet_is_not_drawn_again(tmp_path: Path, kind: str) -> None:
    first = sink(tmp_path, format=kind).finalize(Run(tmp_path).finished())
    run = Run(tmp_path)
    assert sink(tmp_path, format=kind).finalize(run.finished()) == first
    assert run.read_count == 0


@pytest.mark.parametrize("change", ["image", "missing", "title", "edited", "deleted"])
def test_a_sheet_that_would_look_different_is_drawn_again(tmp_path: Path, change: str) -> None:
    (before,) = sink(tmp_path).finalize(Run(tmp_path).finished())
    path = tmp_path / "sheets/a.jpg"
    run, options = Run(tmp_path), {}
    if change == "image":
        run.shift = 1
    elif change == "missing":
        run.failed = {("left", "softbox")}
    elif change == "title":
        options = {"title": "Spring"}
    elif change == "edited":
        path.write_bytes(path.read_bytes() + b"\0")
    else:
        path.unlink()
    (after,) = sink(tmp_path, **options).finalize(run.finished())
    assert run.read_count > 0
    assert path.is_file()
    assert (after.receipt.sha256 == before.receipt.sha256) == (change in {"edited", "deleted"})


def test_each_image_has_a_sheet_of_its_own(tmp_path: Path) -> None:
    run = Run(tmp_path, images=("x/a.png", "x/b.png", "y/a.png"))
    artifacts = sink(tmp_path).finalize(run.finished())
    assert len({artifact.path for artifact in artifacts}) == 3
    assert artifacts[1].path == "b.jpg"
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == {a.path for a in artifacts}


def test_a_hostile_name_stays_in_the_folder_and_off_the_sheet(tmp_path: Path) -> None:
    run = Run(tmp_path, images=("../../\x1b[31m\u202e" + "x" * 300 + "/..\\evil\n.png",))
    (artifact,) = sink(tmp_path, title="a\x00b\u202e").finalize(run.finished())
    assert "/" not in artifact.path
    assert {path.name for path in tmp_path.iterdir()} == {"sheets"}


def test_no_outputs_make_no_sheet(tmp_path: Path) -> None:
    assert sink(tmp_path).finalize(Run(tmp_path, images=()).finished()) == ()


def test_single_images_are_not_its_business(tmp_path: Path) -> None:
    with pytest.raises(SinkFailed):
        sink(tmp_path).write("a.png", b"", "image/png")


def test_a_name_in_another_script_is_drawn_with_the_font_that_the_recipe_names(
    tmp_path: Path,
) -> None:
    (tmp_path / "fonts").mkdir()
    for name, width in (("narrow", 500), ("wide", 900)):
        (tmp_path / f"fonts/{name}.ttf").write_bytes(font("日本", width=width))
    run = Run(tmp_path, images=("photos/日本.png",))
    sheets = []
    for name in ("narrow", "narrow", "wide"):
        (artifact,) = sink(tmp_path, font=f"fonts/{name}.ttf").finalize(run.finished())
        assert artifact.path == "日本.jpg"
        sheets.append(artifact.receipt)
    assert sheets[0] == sheets[1]  # it was not drawn again
    assert sheets[0].sha256 != sheets[2].sha256


@pytest.mark.parametrize("path", ["fonts/none.ttf", "fonts", "../font.ttf", "/etc/passwd"])
def test_a_font_that_is_no_file_of_the_project_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "recipe/fonts").mkdir(parents=True)
    with pytest.raises((UsageError, RefusedError)):
        sink(tmp_path / "recipe", font=path)


def test_a_broken_font_fails_only_the_letters_that_need_it(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(font("日")[:200])
    run = Run(tmp_path, images=("photos/a.png",))
    assert sink(tmp_path, font="broken.ttf").finalize(run.finished())
