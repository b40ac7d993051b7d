"""A backend that answers at once with 20 kB, as a plugin: what is left is relightflow's own time.

`installed` makes a folder for the module path in which its entry point is found, so that the command
line finds it as it would find any plugin.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from relightflow.model.catalog import FREE, Model, Parameter
from relightflow.model.image import Image
from relightflow.model.step import Completed, Step
from relightflow.plugins.backend import Backend, Call
from relightflow.plugins.hookspecs import hookimpl
from relightflow.plugins.records import BackendContext, BackendRecord

RECIPE = """version: 1
name: instant
sources: [{{type: glob, include: [photos/*]}}]
backend: {{type: instant}}
matrix: {{x: all, y: all}}
repeat: {repeat}
limits: {{max_jobs: 10000000, concurrency: 64}}
sinks: [{{type: directory, path: out}}]
"""
CELLS = 16


@cache
def image() -> bytes:
    """A JPEG of about 20 kB."""
    import numpy as np
    import PIL.Image

    noise = np.random.default_rng(0).integers(0, 255, (130, 130, 3), dtype=np.uint8)
    out = io.BytesIO()
    PIL.Image.fromarray(noise).save(out, "JPEG", quality=88)
    return out.getvalue()


def numbered(number: int) -> bytes:
    """The same image with a comment of its own: no two results have the same bytes."""
    data = image()
    return data[:2] + b"\xff\xfe\x00\x0a" + b"%08d" % number + data[2:]


class Instant(Backend):
    def __init__(self, _: BackendContext) -> None:
        self._count = 0

    async def open(self) -> None:
        image()

    async def close(self) -> None:
        """Nothing is held."""

    async def prepare(self, image: Image, data: bytes) -> Any:
        return None

    async def submit(self, call: Call) -> Step:
        self._count += 1
        return Completed(numbered(self._count), cost=0)

    async def collect(self, step: Step) -> Step:
        raise AssertionError("everything completes at once")


def _create(context: BackendContext) -> Backend:
    return Instant(context)


_AXES = tuple(Parameter(name, values=(1, 2, 3, 4), default=1) for name in "xy")
RECORD = BackendRecord("instant", "Answers at once", (Model("instant", _AXES, FREE),), _create)


@hookimpl
def relightflow_backends() -> Iterable[BackendRecord]:
    return (RECORD,)


def installed(folder: Path) -> Path:
    """A folder for PYTHONPATH, made in `folder`, where this module is an installed plugin."""
    facts = folder / "site/instant-1.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: instant\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[relightflow]\ninstant = benchmarks.instant\n")
    return folder / "site"


def project(folder: Path, jobs: int) -> Path:
    """A recipe with one image and so many jobs (a multiple of 16)."""
    (folder / "photos").mkdir(parents=True)
    (folder / "photos/a.jpg").write_bytes(image())
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(repeat=jobs // CELLS))
    return recipe
