"""A drawn scene in chosen lights, and outputs of it, for tests of checks."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from relightflow.checks.small import small
from relightflow.model.check import CheckResult
from relightflow.model.image import Image
from relightflow.model.job import Job, Output
from relightflow.model.values import FrozenMap
from relightflow.plugins.check import CheckImage, CheckView, Measured
from relightflow.plugins.records import CheckContext
from relightflow.plugins.registry import load

Array = NDArray[Any]
WIDTH, HEIGHT = 320, 240


def scene(seed: int = 0) -> Array:
    """(HEIGHT, WIDTH, 3), 0 to 1: coloured shapes with fine texture, another scene for each seed."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    image = np.full((HEIGHT, WIDTH, 3), 0.5) + random.normal(0, 0.04, (HEIGHT, WIDTH, 1))
    for _ in range(14):
        x, y = random.uniform(0, WIDTH), random.uniform(0, HEIGHT)
        inside = (columns - x) ** 2 + (rows - y) ** 2 < random.uniform(15, 60) ** 2
        image[inside] = random.uniform(0.15, 0.85, 3) + random.normal(0, 0.03)
    return np.clip(image, 0, 1)


def lit(
    image: Array, across: float = 0, down: float = 0, warm: float = 0, stops: float = 0
) -> Array:
    """`image` with so many stops more light at the right and the bottom edge, warmer, brighter."""
    x, y = np.linspace(-1, 1, WIDTH)[None, :, None], np.linspace(-1, 1, HEIGHT)[:, None, None]
    gain = 2.0 ** ((across * x + down * y + stops) / 2.2)
    colour = np.array([1 + warm, 1, 1 - warm])
    found: Array = np.clip(image * gain * colour, 0, 1)
    return found


def as_bytes(image: Array, alpha: Array | None = None, form: str = "PNG") -> bytes:
    pixels = (image * 255).round().astype(np.uint8)
    if alpha is not None:
        pixels = np.dstack((pixels, alpha))
    out = io.BytesIO()
    PIL.Image.fromarray(pixels).save(out, form, quality=85)
    return out.getvalue()


def looked_at(image: Array, alpha: Array | None = None) -> CheckImage:
    return small(as_bytes(image, alpha))


def output(index: int, cell: Mapping[str, Any], repeat: int = 0) -> Output:
    image = Image("photos/drawn.png", "a" * 64, 1, WIDTH, HEIGHT, "image/png", 0, "")
    job = Job(f"{index:064x}", image, "preview", "preview", FrozenMap(cell), repeat)
    return Output(index, job, image, FrozenMap(cell))


def verdicts(
    name: str,
    results: Sequence[tuple[Mapping[str, Any], CheckImage]],
    source: CheckImage | None,
    **options: Any,
) -> list[CheckResult | None]:
    """What the built-in check `name` says of results of one input image."""
    record = load(found=lambda: ()).check(name)
    check = record.make(CheckContext(Path(), FrozenMap(options)))
    outputs = [output(index, cell) for index, (cell, _) in enumerate(results)]
    views = [
        CheckView(one, result, source) for one, (_, result) in zip(outputs, results, strict=True)
    ]
    return list(check.judge([Measured(view.output, "", check.measure(view)) for view in views]))


def words(found: Sequence[CheckResult | None]) -> list[str]:
    """Only the verdicts; `-` where the check does not apply."""
    return ["-" if one is None else str(one.verdict) for one in found]
