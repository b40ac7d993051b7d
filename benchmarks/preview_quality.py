"""What the preview does to real photographs, in numbers: `python -m benchmarks.preview_quality`.

All 256 cells of every image of `benchmarks.photographs`. Prints one row per image with its worst cell,
then the shares of comparisons in which the four parameters keep their promises. `--cells FILE` also
writes every image's and cell's figures as CSV; `--only NAME` measures one image.
"""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageFilter

from benchmarks.photographs import Box, Photograph, photographs
from relightflow.backends.preview.colour import linear, luminance
from relightflow.backends.preview.offer import MODEL
from relightflow.backends.preview.relight import renderer
from relightflow.model.values import FrozenMap

Array = np.ndarray[Any, Any]
Cell = tuple[str, ...]
"""A word for every parameter, in `MODEL.parameters`' order: direction, intensity, temperature, type."""

CLIPPED = 254
FLAT = 0.05
"""Largest range of brightness, of 1, within 17 × 17 pixels that counts as flat."""
CELLS = tuple(itertools.product(*(map(str, p.values) for p in MODEL.parameters)))


@dataclass(frozen=True, slots=True)
class Figures:
    """One image in one cell; lower is better, None where the image has no such part."""

    clipped: float
    """Percent of the pixels that are clipped (254 or 255 in a channel) and were not."""
    edge: float | None
    """Largest change of brightness within 8 pixels, in steps of 255, where the original is flat."""
    halo: float | None
    """How much the gain beside a strong edge differs from that 10 pixels further on the same
    surface, in stops."""
    subject: float | None
    """Light on the subject under `back`, as a multiple of the original's."""
    hue: float | None
    """Degrees that the hue of skin turns, on average, in Oklab."""


@dataclass(frozen=True, slots=True)
class Light:
    """What the promises are held against."""

    left: float
    """Light in the left half over light in the right half."""
    top: float
    mean: float
    warmth: float
    """Red over blue."""
    spread: float
    """Standard deviation of the gain in stops."""


class Meter:
    """Measures cells of one image; what belongs to the original is worked out once."""

    def __init__(self, photograph: Photograph) -> None:
        self._seen = photograph
        self._light = luminance(linear(photograph.rgb))
        self._tone = _tone(photograph.rgb)
        self._flat = _range(self._tone, 17) < FLAT
        self._opaque = np.ones(self._light.shape, bool)
        if photograph.alpha is not None:
            self._opaque = photograph.alpha > 250
            self._flat &= _range(photograph.alpha / np.float32(255), 17) < FLAT
            self._flat &= self._opaque
        self._edges = _strong_edges(self._tone)
        self._skin = (
            None if photograph.skin is None else _hue(_cut(photograph.rgb, photograph.skin))
        )

    def figures(self, out: Array, cell: Cell) -> Figures:
        clipped = (out.max(axis=2) >= CLIPPED) & (self._seen.rgb.max(axis=2) < CLIPPED)
        return Figures(
            clipped=100 * float(clipped[self._opaque].mean()),
            edge=self._new_edge(_tone(out)),
            halo=self._halo(self._gain(out)),
            subject=self._on_subject(out) if cell[0] == "back" else None,
            hue=self._hue_shift(out),
        )

    def light(self, out: Array) -> Light:
        light = luminance(linear(out)) + 1e-4
        height, width = light.shape
        red, _, blue = out.reshape(-1, 3).mean(axis=0) + 0.01
        return Light(
            left=float(light[:, : width // 2].mean() / light[:, width // 2 :].mean()),
            top=float(light[: height // 2].mean() / light[height // 2 :].mean()),
            mean=float(light.mean()),
            warmth=float(red / blue),
            spread=float(self._gain(out)[self._opaque].std()),
        )

    def _gain(self, out: Array) -> Array:
        return _soft(np.log2((luminance(linear(out)) + 0.01) / (self._light + 0.01)), 1)

    def _new_edge(self, tone: Array) -> float | None:
        """The 99.9th percentile; the original's own slope is taken off."""
        if self._flat.mean() < 0.02:
            return None
        worst = 0.0
        for axis in (0, 1):
            ahead = (slice(8, None), slice(None))[:: 1 if axis == 0 else -1]
            behind = (slice(None, -8), slice(None))[:: 1 if axis == 0 else -1]
            middle = (slice(4, -4), slice(None))[:: 1 if axis == 0 else -1]
            soft, own = _soft(tone, 1), _soft(self._tone, 1)
            step = np.abs(soft[ahead] - soft[behind]) - np.abs(own[ahead] - own[behind])
            flat = self._flat[middle]
            worst = max(worst, float(np.quantile(step[flat], 0.999)) if flat.any() else 0.0)
        return 255 * worst

    def _halo(self, gain: Array) -> float | None:
        """The 95th percentile over strong edges whose one side is of one brightness."""
        rows, columns, down, right = self._edges
        if rows.size < 40:
            return None

        def at(field: Array, away: int) -> Array:
            y = np.clip(np.rint(rows + down * away), 0, field.shape[0] - 1).astype(int)
            x = np.clip(np.rint(columns + right * away), 0, field.shape[1] - 1).astype(int)
            found: Array = field[y, x]
            return found

        sides = []
        for side in (1, -1):
            near, far = at(self._tone, 3 * side), at(self._tone, 13 * side)
            # the same surface, not a texture, and not so dark that one step of 255 is a stop
            same = (np.abs(near - far) < 0.06) & (np.minimum(near, far) > 0.12)
            sides.append(np.abs(at(gain, 3 * side) - at(gain, 13 * side))[same])
        found = np.concatenate(sides)
        return float(np.quantile(found, 0.95)) if found.size >= 40 else None

    def _on_subject(self, out: Array) -> float | None:
        if self._seen.subject is None:
            return None
        after = _cut(luminance(linear(out)), self._seen.subject).mean()
        return float(after / (_cut(self._light, self._seen.subject).mean() + 1e-5))

    def _hue_shift(self, out: Array) -> float | None:
        if self._skin is None or self._seen.skin is None:
            return None
        turned = _hue(_cut(out, self._seen.skin)) - self._skin
        return float(np.abs((turned + 180) % 360 - 180).mean())


def _cut(field: Array, box: Box) -> Array:
    height, width = field.shape[:2]
    left, top, right, bottom = box
    return field[
        int(top * height) : int(np.ceil(bottom * height)),
        int(left * width) : int(np.ceil(right * width)),
    ]


def _tone(rgb: Array) -> Array:
    """Brightness as it is coded, 0 to 1."""
    return np.asarray(PIL.Image.fromarray(rgb).convert("L"), np.float32) / 255


def _soft(field: Array, radius: float) -> Array:
    """A small triangular blur, edges repeated."""
    for axis in (0, 1):
        padded = np.pad(field, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        a, b, c = (np.take(padded, range(k, k + field.shape[axis]), axis) for k in range(3))
        field = a / 4 + b / 2 + c / 4
    return field


def _range(tone: Array, size: int) -> Array:
    image = PIL.Image.fromarray((tone * 255).astype(np.uint8))
    high, low = PIL.ImageFilter.MaxFilter(size), PIL.ImageFilter.MinFilter(size)
    span: Array = np.asarray(image.filter(high), np.float32) - np.asarray(image.filter(low))
    return span / np.float32(255)


def _strong_edges(tone: Array) -> tuple[Array, Array, Array, Array]:
    """Rows, columns and unit normals (down, right) of the strongest 1.5 % of the edges."""
    down, right = np.gradient(_soft(_soft(tone, 1), 1))
    size = np.hypot(down, right)
    strong = size > max(float(np.quantile(size, 0.985)), 0.02)
    strong[:14], strong[-14:], strong[:, :14], strong[:, -14:] = (False,) * 4
    rows, columns = np.nonzero(strong)
    return rows, columns, down[strong] / size[strong], right[strong] / size[strong]


def _hue(rgb: Array) -> Array:
    """Oklab hue in degrees (Ottosson 2020)."""
    light = linear(rgb)
    lms = light @ np.array(
        [[0.4122215, 0.2119035, 0.0883025], [0.5363325, 0.6806996, 0.2817188],
         [0.0514460, 0.1073970, 0.6299787]], np.float32)  # fmt: skip
    root = np.cbrt(lms)
    a = root @ np.array([1.9779985, -2.4285922, 0.4505937], np.float32)
    b = root @ np.array([0.0259040, 0.7827718, -0.8086758], np.float32)
    hue: Array = np.degrees(np.arctan2(b, a))
    return hue


@dataclass(frozen=True, slots=True)
class Promise:
    """A comparison of two cells that differ in one parameter."""

    what: str
    axis: int
    more: str
    less: str
    measure: Callable[[Light], float]
    least: float = 1.02
    """Least ratio of the two measures."""


PROMISES = (
    Promise("`left` lights the left more than `top` does", 0, "left", "top", lambda g: g.left),
    Promise("`left` … than `back`", 0, "left", "back", lambda g: g.left),
    Promise("`right` lights the right more than `top` does", 0, "top", "right", lambda g: g.left),
    Promise("`right` … than `back`", 0, "back", "right", lambda g: g.left),
    Promise("`top` lights the top more than `left` does", 0, "top", "left", lambda g: g.top),
    Promise("`top` … than `right`", 0, "top", "right", lambda g: g.top),
    Promise("`mood` is darker than `medium`", 1, "medium", "mood", lambda g: g.mean, 1.2),
    Promise("`bright` is brighter than `medium`", 1, "bright", "medium", lambda g: g.mean, 1.05),
    Promise("`strong` is brighter than `mood`", 1, "strong", "mood", lambda g: g.mean, 1.2),
    Promise("`neutral` is warmer than `cool`", 2, "neutral", "cool", lambda g: g.warmth),
    Promise("`warm` is warmer than `neutral`", 2, "warm", "neutral", lambda g: g.warmth),
    Promise("`sunset` is warmer than `warm`", 2, "sunset", "warm", lambda g: g.warmth),
    Promise("`ambient` is flatter than `softbox`", 3, "softbox", "ambient", lambda g: g.spread),
    Promise("`ambient` is flatter than `sunlight`", 3, "sunlight", "ambient", lambda g: g.spread),
    Promise("`ambient` is flatter than `spotlight`", 3, "spotlight", "ambient", lambda g: g.spread),
)


def kept(promise: Promise, lights: Mapping[Cell, Light]) -> tuple[int, int]:
    """(kept, compared) over all pairs of cells that differ in the promise's parameter only."""
    good = total = 0
    for cell, light in lights.items():
        if cell[promise.axis] != promise.more:
            continue
        other = (*cell[: promise.axis], promise.less, *cell[promise.axis + 1 :])
        good += promise.measure(light) >= promise.least * promise.measure(lights[other])
        total += 1
    return good, total


def measured(photograph: Photograph) -> tuple[dict[Cell, Figures], dict[Cell, Light]]:
    """Every cell of one image."""
    meter = Meter(photograph)
    relit = renderer(photograph.rgb, photograph.alpha)
    figures, lights = {}, {}
    names = [parameter.name for parameter in MODEL.parameters]
    for cell in CELLS:
        out = relit(FrozenMap(dict(zip(names, cell, strict=True))))
        figures[cell] = meter.figures(out, cell)
        lights[cell] = meter.light(out)
    return figures, lights


def worst(name: str, figures: Mapping[Cell, Figures]) -> str:
    """A row of the table: each figure's largest value and the cell that has it."""
    row = [name]
    for field in fields(Figures):
        found = {cell: getattr(f, field.name) for cell, f in figures.items()}
        values = {cell: value for cell, value in found.items() if value is not None}
        if not values:
            row.append("–")
            continue
        cell = max(values, key=lambda c: values[c])
        row.append(f"{values[cell]:.2f} ({' '.join(cell)})")
    return f"| {' | '.join(row)} |"


def main(arguments: list[str]) -> None:
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    rows: list[list[Any]] = []
    counts = dict.fromkeys((p.what for p in PROMISES), (0, 0))
    print("| image | clipped, % | new edge | halo, stops | subject under `back` | skin, degrees |")
    print("|---|---|---|---|---|---|")
    for photograph in photographs():
        if only and photograph.name != only:
            continue
        figures, lights = measured(photograph)
        print(worst(photograph.name, figures), flush=True)
        for cell in CELLS:
            values: Iterable[Any] = (getattr(figures[cell], f.name) for f in fields(Figures))
            rows.append([photograph.name, *cell, *values])
        for promise in PROMISES:
            good, total = kept(promise, lights)
            before = counts[promise.what]
            counts[promise.what] = before[0] + good, before[1] + total
    print("\n| promise | kept |\n|---|---|")
    for what, (good, total) in counts.items():
        print(f"| {what} | {100 * good / max(total, 1):.1f} % of {total} |")
    if "--cells" in arguments:
        path = Path(arguments[arguments.index("--cells") + 1])
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
