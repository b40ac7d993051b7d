"""Small real things to try a plugin with: an image, a job, a finished run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from relightflow.model.catalog import FREE, Model, Parameter
from relightflow.model.image import Image
from relightflow.model.job import Job, Output
from relightflow.model.outcome import Result
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.values import FrozenMap, thaw
from relightflow.plugins.sink import FinishedRun

SIZE = (48, 32)
_PARAMETERS = (Parameter("light_direction", "text"), Parameter("light_type", "text"))


def sample_image_bytes(seed: int = 0) -> bytes:
    """A PNG of 48 × 32 pixels, another one for each `seed`."""
    import numpy as np  # deferred, as images are: testing a record needs neither

    from relightflow.images import encode

    width, height = SIZE
    rows, columns = np.mgrid[0:height, 0:width]
    planes = (columns * 5, rows * 7, (columns + rows) * 3 + seed * 17)
    return encode(np.dstack(planes).astype(np.uint8), "image/png")


def sample_image(data: bytes, name: str = "photos/sample.png") -> Image:
    """`data`, a PNG of the sample's size, as a source would have found it."""
    sha256 = hashlib.sha256(data).hexdigest()
    return Image(name, sha256, len(data), *SIZE, "image/png", source=0, locator=name)


def sample_job(image: Image, backend: str, model: Model, cell: Mapping[str, Any]) -> Job:
    """A job with a key of its own. (The real key is made by the plan; a backend never reads it.) What the
    model requires and `cell` lacks gets some value."""
    needed = {
        p.name: "sample" if p.kind == "text" else p.minimum
        for p in model.parameters
        if p.required and p.default is None and p.kind != "choice"
    }
    parameters = model.normalise(FrozenMap({**needed, **cell}))
    told = json.dumps([backend, model.name, image.sha256, sorted(parameters.items(), key=str)])
    return Job(hashlib.sha256(told.encode()).hexdigest(), image, backend, model.name, parameters, 0)


_COUNTS = {
    "images": 1, "rejected": 0, "cells": 4, "outputs": 4, "jobs": 4,
    "done": 3, "failed": 1, "unknown": 0, "pending": 0, "missing": 0,
}  # fmt: skip
_NOT_MADE = {
    "status": "failed",
    "error": {"kind": "provider", "message": "the sample fails", "billed": "no"},
}


def _made(result: Result) -> dict[str, Any]:
    return {
        "status": "done",
        "sha256": result.sha256,
        "size": result.size,
        "width": result.width,
        "height": result.height,
        "media_type": result.media_type,
        "cost": 0.0,
    }


class SampleRun:
    """Four outputs of one image over two axes; the last one has failed."""

    def __init__(self, folder: Path) -> None:
        self._original = sample_image_bytes()
        self.results = [sample_image_bytes(seed) for seed in range(1, 4)]
        self._manifest = folder / "manifest.jsonl"
        lines = [json.dumps(record, sort_keys=True) for record in self.records()]
        self._manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def outputs(self) -> Iterator[tuple[Output, Result | None]]:
        image = sample_image(self._original)
        model = Model("sample", _PARAMETERS, FREE)
        for index, (side, kind) in enumerate(
            (side, kind) for side in ("left", "right") for kind in ("softbox", "sunlight")
        ):
            cell = FrozenMap({"light_direction": side, "light_type": kind})
            job = sample_job(image, "sample", model, cell)
            yield Output(index, job, image, cell), self._result(index)

    def records(self) -> Iterator[dict[str, Any]]:
        """As in a manifest; see schemas/manifest-record.schema.json."""
        yield {
            "record": "recipe",
            "format": 1,
            "recipe": {"name": "sample", "sha256": "0" * 64},
            "backend": "sample",
            "model": "sample",
            "counts": _COUNTS,
        }
        for output, result in self.outputs():
            image = output.image
            yield {
                "record": "output",
                "index": output.index,
                "job": output.job.id,
                "key": output.job.key,
                "source": {"name": image.name, "sha256": image.sha256, "size": image.size},
                "cell": thaw(output.cell),
                "parameters": thaw(output.job.parameters),
                "repeat": 0,
                **(_made(result) if result else _NOT_MADE),
            }

    def finished(self) -> FinishedRun:
        backend = BackendSpec("sample", Model("sample", (), FREE), FrozenMap())
        recipe = Recipe("sample", self._manifest.with_name("sample.yaml"), "0" * 64, (), backend)
        return FinishedRun(
            recipe=recipe,
            axes=("light_direction", "light_type"),
            outputs=self.outputs,
            read=lambda result: self._by_hash()[result.sha256],
            original=lambda _: self._original,
            records=self.records,
            manifest=self._manifest,
        )

    def _result(self, index: int) -> Result | None:
        if index >= len(self.results):
            return None
        data = self.results[index]
        return Result(hashlib.sha256(data).hexdigest(), len(data), *SIZE, "image/png")

    def _by_hash(self) -> dict[str, bytes]:
        return {hashlib.sha256(data).hexdigest(): data for data in self.results}
