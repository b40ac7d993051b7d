"""How well the checks tell right from wrong, on known truth: `python -m benchmarks.checks`.

The images are the photographs and drawings of `benchmarks.photographs` and the samples of `recipes/`.
The preview relights them, so every result is sound; then one result at a time is spoilt in a way that a
provider's might be. Prints a row per fault (caught, unsure, missed), a row per check (verdicts on sound
results, and the nearest that a sound value came to the bound), and milliseconds per image and check.
`--quick` takes four images; `--show` lists every sound result that failed.
"""

from __future__ import annotations

import io
import itertools
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFilter
import PIL.ImageOps

from benchmarks.photographs import Array, Photograph, photographs
from relightflow.backends.preview.offer import MODEL
from relightflow.backends.preview.relight import renderer
from relightflow.checks.small import small
from relightflow.images import decode, encode
from relightflow.model.check import CheckResult, Verdict
from relightflow.model.image import Image
from relightflow.model.job import Job, Output
from relightflow.model.values import FrozenMap
from relightflow.plugins.check import Check, CheckImage, CheckView, Measured
from relightflow.plugins.records import CheckContext
from relightflow.plugins.registry import load

Cell = FrozenMap
ROOT = Path(__file__).parents[1]
DIRECTIONS, TEMPERATURES = ("left", "right", "top", "back"), ("cool", "neutral", "warm", "sunset")
INTENSITIES = ("mood", "medium", "bright", "strong")
OPTIONS = {"brighter": {"order": ["mood", "medium", "bright"]}}
CHECKED_BESIDE = ("brighter",)
"""Checks that are no part of `checks: default` and are measured with the options above."""
LONGEST = 512


def _cells(**axes: Sequence[str]) -> tuple[Cell, ...]:
    given = {p.name: (str(p.default),) for p in MODEL.parameters} | {
        f"light_{name}": tuple(values) for name, values in axes.items()
    }
    return tuple(
        FrozenMap(dict(zip(given, values, strict=True)))
        for values in itertools.product(*given.values())
    )


SWEEPS = {
    "direction × temperature": _cells(direction=DIRECTIONS, temperature=TEMPERATURES),
    "left, right × cool, warm": _cells(direction=("left", "right"), temperature=("cool", "warm")),
    "direction": _cells(direction=DIRECTIONS),
    "temperature": _cells(temperature=TEMPERATURES),
    "intensity × direction": _cells(direction=("left", "right", "top"), intensity=INTENSITIES),
    "hard light": _cells(direction=DIRECTIONS, type=("spotlight",), intensity=("strong", "mood")),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """An image and a function that relights it."""

    name: str
    source: CheckImage
    file: bytes
    relit: Mapping[Cell, bytes]

    @property
    def colourful(self) -> bool:
        """Whether it has colours that can be lost."""
        return float(np.ptp(self.source.rgb.astype(int), axis=2).mean()) > 6


def jpeg(image: PIL.Image.Image, quality: int = 90) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()


def _file(rgb: Array, photograph: Photograph) -> bytes:
    """A JPEG as providers send it; what is transparent stays so, in a PNG."""
    if photograph.alpha is not None:
        return encode(rgb, "image/png", alpha=photograph.alpha)
    return jpeg(PIL.Image.fromarray(rgb))


def scenes(quick: bool) -> Iterator[Scene]:
    wanted = {cell for cells in SWEEPS.values() for cell in cells}
    found = itertools.chain(photographs(LONGEST), _samples())
    for photograph in itertools.islice(found, 4 if quick else None):
        relight = renderer(photograph.rgb, photograph.alpha)
        relit = {cell: _file(relight(cell), photograph) for cell in wanted}
        file = _file(photograph.rgb, photograph)
        yield Scene(photograph.name, small(file), file, relit)


def _samples() -> Iterator[Photograph]:
    for path in sorted((ROOT / "recipes" / "photos").iterdir()):
        if path.suffix in (".jpg", ".png", ".webp"):
            image = PIL.Image.fromarray(decode(path.read_bytes()))
            image.thumbnail((LONGEST, LONGEST), PIL.Image.Resampling.BOX)
            yield Photograph(f"sample {path.stem}", np.asarray(image))


# a fault: the spoilt result, from its own bytes, the scene and another scene's result


def _opened(data: bytes) -> PIL.Image.Image:
    return PIL.Image.open(io.BytesIO(data)).convert("RGB")


def _grey(data: bytes, *_: object) -> bytes:
    return jpeg(PIL.ImageOps.grayscale(_opened(data)))


def _source(_: bytes, scene: Scene, __: bytes) -> bytes:
    return jpeg(_opened(scene.file), 85)


def _other(_: bytes, __: Scene, other: bytes) -> bytes:
    return other


def _halved(data: bytes, *_: object) -> bytes:
    return jpeg(_opened(data).point(lambda code: code // 2))


def _bordered(colour: str, share: float) -> Callable[..., bytes]:
    def spoil(data: bytes, *_: object) -> bytes:
        image = _opened(data)
        width = max(2, round(share * max(image.size)))
        inner = image.resize((image.width - 2 * width, image.height - 2 * width))
        return jpeg(PIL.ImageOps.expand(inner, width, colour))

    return spoil


def _letterbox(data: bytes, *_: object) -> bytes:
    image = _opened(data)
    canvas = PIL.Image.new("RGB", image.size, "black")
    inner = image.resize((image.width, round(image.height * 0.84)))
    canvas.paste(inner, (0, round(image.height * 0.08)))
    return jpeg(canvas)


def _blurred(share: float) -> Callable[..., bytes]:
    def spoil(data: bytes, *_: object) -> bytes:
        image = _opened(data)
        return jpeg(image.filter(PIL.ImageFilter.GaussianBlur(share * max(image.size))))

    return spoil


FAULTS: dict[str, Callable[..., bytes]] = {
    "desaturated": _grey,
    "source returned": _source,
    "another image's result": _other,
    "brightness halved": _halved,
    "white border, 4 %": _bordered("white", 0.04),
    "black border, 2 %": _bordered("black", 0.02),
    "letterbox": _letterbox,
    "blurred, 0.6 %": _blurred(0.006),
    "blurred, 1.2 %": _blurred(0.012),
}
SWAPPED, TWICE = "left and right swapped", "a sibling's result"


class Panel:
    """The checks, run over one sweep of one image."""

    def __init__(self) -> None:
        registry = load(found=lambda: ())
        self.checks: dict[str, Check] = {}
        for name, loaded in sorted(registry.checks.items()):
            if loaded.record.default or name in CHECKED_BESIDE:
                context = CheckContext(ROOT, FrozenMap(OPTIONS.get(name, {})))
                self.checks[name] = loaded.record.make(context)
        self.seconds: dict[str, float] = defaultdict(float)
        self.images = 0
        self._known: dict[tuple[int, bytes], dict[str, object]] = {}

    def judge(
        self, scene: Scene, results: Mapping[Cell, bytes]
    ) -> dict[str, list[CheckResult | None]]:
        """Verdicts by check, in the order of `results`."""
        outputs = [_output(scene, index, cell) for index, cell in enumerate(results)]
        found: dict[str, list[CheckResult | None]] = {}
        measured = [
            self._measure(scene, output, data)
            for output, data in zip(outputs, results.values(), strict=True)
        ]
        for name, check in self.checks.items():
            items = [
                Measured(output, "", values[name])
                for output, values in zip(outputs, measured, strict=True)
            ]
            started = time.thread_time()
            found[name] = list(check.judge(items))
            self.seconds[name] += time.thread_time() - started
        return found

    def _measure(self, scene: Scene, output: Output, data: bytes) -> dict[str, object]:
        key = (id(scene), data)
        if key not in self._known:
            view = CheckView(output, small(data), scene.source)
            self._known[key] = {
                name: self._timed(name, check, view) for name, check in self.checks.items()
            }
            self.images += 1
        return self._known[key]

    def _timed(self, name: str, check: Check, view: CheckView) -> object:
        started = time.thread_time()
        value = check.measure(view)
        self.seconds[name] += time.thread_time() - started
        return value

    def forget(self) -> None:
        self._known.clear()


def _output(scene: Scene, index: int, cell: Cell) -> Output:
    image = Image(
        scene.name, "0" * 64, 1, scene.source.width, scene.source.height, "image/jpeg", 0, ""
    )
    return Output(index, Job("0" * 64, image, "preview", MODEL.name, cell, 0), image, cell)


@dataclass(slots=True)
class Score:
    """What became of the spoilt results of one kind."""

    caught: int = 0
    unsure: int = 0
    missed: int = 0
    by: Counter[str] = field(default_factory=Counter)
    alarms: int = 0
    """Sound siblings of a spoilt result that failed and did not fail without it."""
    siblings: int = 0


def failing(
    found: Mapping[str, list[CheckResult | None]], index: int, verdict: Verdict
) -> list[str]:
    return [n for n, results in found.items() if (r := results[index]) and r.verdict is verdict]


def main() -> None:
    quick, show = "--quick" in sys.argv, "--show" in sys.argv
    panel, scores = Panel(), defaultdict[str, Score](Score)
    sound: dict[str, Counter[str]] = defaultdict(Counter)
    nearest: dict[str, float] = {}
    every = list(scenes(quick))
    pick = random.Random(7)
    for position, scene in enumerate(every):
        other = every[(position + 3) % len(every)]  # not the same person in grey
        for sweep, cells in SWEEPS.items():
            results = {cell: scene.relit[cell] for cell in cells}
            before = panel.judge(scene, results)
            _note_sound(
                before, sound, nearest, f"{scene.name}, {sweep}" if show else "", list(cells)
            )
            for fault, spoilt, cells_spoilt in _spoilt(scene, other, results, pick):
                after = panel.judge(scene, spoilt)
                _score(scores[fault], before, after, list(results), cells_spoilt)
                if show:
                    _show(
                        f"{fault}, {scene.name}, {sweep}",
                        before,
                        after,
                        list(results),
                        cells_spoilt,
                    )
        panel.forget()
    _print(scores, sound, nearest, panel)


def _show(
    label: str,
    before: Mapping[str, list[CheckResult | None]],
    after: Mapping[str, list[CheckResult | None]],
    cells: Sequence[Cell],
    spoilt: Sequence[Cell],
) -> None:
    """What was missed, and which sound siblings failed."""
    for index, cell in enumerate(cells):
        failed = failing(after, index, Verdict.FAIL)
        if cell in spoilt and not failed:
            print("missed:", label, *cell.values(), failing(after, index, Verdict.UNSURE))
        new = set(failed) - set(failing(before, index, Verdict.FAIL))
        if cell not in spoilt and new:
            print("alarm:", label, *cell.values(), sorted(new))


def _spoilt(
    scene: Scene, other: Scene, results: dict[Cell, bytes], pick: random.Random
) -> Iterator[tuple[str, dict[Cell, bytes], tuple[Cell, ...]]]:
    """(fault, all results with some of them spoilt, which ones)."""
    cells = list(results)
    for fault, spoil in FAULTS.items():
        for cell in pick.sample(cells, min(3, len(cells))):
            if fault == "desaturated" and not scene.colourful:
                continue  # nothing is lost
            yield fault, results | {cell: spoil(results[cell], scene, other.relit[cell])}, (cell,)
    for cell in cells:
        mirrored = FrozenMap({**cell, "light_direction": "right"})
        if cell["light_direction"] == "left" and mirrored in results:
            swapped = {cell: results[mirrored], mirrored: results[cell]}
            yield SWAPPED, results | swapped, (cell, mirrored)
    for cell in pick.sample(cells, min(3, len(cells))):
        twin = pick.choice([one for one in cells if one != cell])
        yield TWICE, results | {cell: results[twin]}, (cell, twin)


def _note_sound(
    found: Mapping[str, list[CheckResult | None]],
    sound: dict[str, Counter[str]],
    nearest: dict[str, float],
    label: str,
    cells: Sequence[Cell],
) -> None:
    for name, results in found.items():
        for cell, result in zip(cells, results, strict=True):
            if result is None:
                continue
            sound[name][result.verdict] += 1
            if isinstance(result.value, float) and isinstance(result.bound, float) and result.bound:
                near = result.value / result.bound
                upper = name in ("aspect", "exposure", "border")
                nearest[name] = (max if upper else min)(near, nearest.get(name, near))
            if label and result.verdict is Verdict.FAIL:
                print("sound", label, tuple(cell.values()), name, result.value, result.message)


def _score(
    score: Score,
    before: Mapping[str, list[CheckResult | None]],
    after: Mapping[str, list[CheckResult | None]],
    cells: Sequence[Cell],
    spoilt: Sequence[Cell],
) -> None:
    for index, cell in enumerate(cells):
        failed = failing(after, index, Verdict.FAIL)
        if cell not in spoilt:
            score.siblings += 1
            score.alarms += bool(set(failed) - set(failing(before, index, Verdict.FAIL)))
        elif failed:
            score.caught += 1
            score.by.update(failed)
        elif failing(after, index, Verdict.UNSURE):
            score.unsure += 1
        else:
            score.missed += 1


def _print(
    scores: Mapping[str, Score],
    sound: Mapping[str, Counter[str]],
    nearest: Mapping[str, float],
    panel: Panel,
) -> None:
    print("| fault | caught | unsure | missed | caught by | alarms at siblings |")
    print("|---|---|---|---|---|---|")
    for fault, score in scores.items():
        total = score.caught + score.unsure + score.missed
        by = ", ".join(f"{name} {count}" for name, count in score.by.most_common(4))
        print(
            f"| {fault} | {score.caught} of {total} | {score.unsure} | {score.missed} | {by} "
            f"| {score.alarms} of {score.siblings} |"
        )
    print("\n| check | sound results | pass | unsure | fail | nearest to the bound | ms |")
    print("|---|---|---|---|---|---|---|")
    for name, counts in sorted(sound.items()):
        near = f"{nearest[name]:.2f} ×" if name in nearest else "–"
        print(
            f"| `{name}` | {counts.total()} | {counts['pass']} | {counts['unsure']} "
            f"| {counts['fail']} | {near} | {1000 * panel.seconds[name] / panel.images:.1f} |"
        )


if __name__ == "__main__":
    main()
