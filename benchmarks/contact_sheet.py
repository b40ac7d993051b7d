"""Time and memory of a contact sheet with 256 results of one megapixel, beside a bare Pillow loop.

Each case runs in a process of its own, so that its peak memory is its own:
`python -m benchmarks.contact_sheet`.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from benchmarks.processes import Row, case
from relightflow.model.catalog import FREE, Model
from relightflow.model.image import Image
from relightflow.model.job import Job, Output
from relightflow.model.outcome import Result
from relightflow.model.recipe import Axis, BackendSpec, Matrix, Recipe
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import FinishedRun
from relightflow.sinks.contact_sheet.sink import ContactSheet

SIZE = (1152, 896)
AXES = tuple(Axis(f"axis_{n}", tuple(f"value {k}" for k in range(4))) for n in range(4))
GOAL_SECONDS, GOAL_MB = 10, 300


def make_images(folder: Path, kind: str) -> None:
    """256 different images with the detail of a photograph."""
    noise = np.random.default_rng(1).integers(0, 256, (56, 72, 3), dtype=np.uint8)
    soft = PIL.Image.fromarray(noise).resize(SIZE, PIL.Image.Resampling.BICUBIC)
    for index in range(256):
        tinted = soft.point([min(255, v * (200 + index % 64) // 232) for v in range(256)] * 3)
        tinted.save(folder / f"{index}.{kind}", quality=92, compress_level=2)


def finished(folder: Path, kind: str) -> FinishedRun:
    image = Image("a.jpg", hashlib.sha256(b"a").hexdigest(), 1, *SIZE, "image/jpeg", 0, "a.jpg")
    backend = BackendSpec("bench", Model("bench", (), FREE), FrozenMap())
    recipe = Recipe("bench", folder / "r.yaml", "00" * 32, (), backend, Matrix(AXES))
    paths = [folder / f"{index}.{kind}" for index in range(256)]

    def outputs() -> Iterator[tuple[Output, Result | None]]:
        for index, values in enumerate(product(*(axis.values for axis in AXES))):
            cell = FrozenMap({axis.name: v for axis, v in zip(AXES, values, strict=True)})
            job = Job(f"{index:064x}", image, "bench", "bench", cell, 0)
            yield Output(index, job, image, cell), Result(str(index), 1, *SIZE, "image/jpeg")

    def records() -> Iterator[dict[str, Any]]:
        yield {"record": "recipe"}
        yield from ({"record": "output", "status": "done"} for _ in range(256))

    return FinishedRun(
        recipe,
        tuple(axis.name for axis in AXES),
        outputs,
        lambda result: paths[int(result.sha256)].read_bytes(),
        lambda output: paths[output.index].read_bytes(),
        records,
        folder / "manifest.jsonl",
    )


def draw(folder: Path, kind: str) -> None:
    context = SinkContext(folder, FrozenMap({"path": "sheets"}), "bench")
    ContactSheet(context).finalize(finished(folder, kind))


def bare(folder: Path, kind: str) -> None:
    """The same decoding, scaling and pasting with Pillow alone, one after the other."""
    canvas = PIL.Image.new("RGB", (16 * 150, 16 * 117))
    for index in range(256):
        with PIL.Image.open(folder / f"{index}.{kind}") as image:
            image.thumbnail((150, 117), PIL.Image.Resampling.LANCZOS)
            canvas.paste(image, (index % 16 * 150, index // 16 * 117))
    canvas.save(io.BytesIO(), "JPEG", quality=90)


CASES: dict[str, tuple[str, Callable[[Path, str], None]]] = {
    "sheet": ("contact sheet of 256 results of 1 megapixel", draw),
    "again": ("… where nothing changed", draw),
    "bare": ("… bare Pillow loop", bare),
}


def measure() -> list[Row]:
    """Both kinds of results; the sheet, the sheet again where nothing changed, and the baseline."""
    goal = f"≤ {GOAL_SECONDS} s, ≤ {GOAL_MB} MB"
    rows: list[Row] = []
    for kind in ("jpg", "png"):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            make_images(folder, kind)
            for name, (label, _) in CASES.items():
                found = case("benchmarks.contact_sheet", name, str(folder), kind)
                figure = f"{found['seconds']:.2f} s, {found['mb']:.0f} MB"
                rows.append((f"{label}, {kind}", figure, goal if name == "sheet" else ""))
    return rows


if __name__ == "__main__":
    if len(sys.argv) == 1:
        for what, figure, goal in measure():
            print(f"{what:48} {figure:>18}   {goal}")
    else:
        begun = time.perf_counter()
        CASES[sys.argv[1]][1](Path(sys.argv[2]), sys.argv[3])
        print(json.dumps({"seconds": time.perf_counter() - begun}))
