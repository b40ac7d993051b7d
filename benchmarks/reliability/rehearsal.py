"""A provider that can be held to its bill, and the program as a process that can be killed.

Everything here is real: the emulator is a process, so is `relightflow run`, and a kill is SIGKILL. Both
are forked from a process that has imported the program, where it need not be a new interpreter.
"""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice, product
from pathlib import Path
from typing import Any

from relightflow.backends.emulator.images import tiny, unique
from tests.processes import commands

ROOT = Path(__file__).parents[2]
KEY = "SG_00112233445566ff"
SETTLING = 3.0
"""Seconds; the emulator's history does not lag, so a call that it lacks then was never taken."""
AXES: dict[str, tuple[str, ...]] = {
    "light_direction": ("left", "right", "top", "back"),
    "light_intensity": ("mood", "bright", "medium", "strong"),
    "light_temperature": ("warm", "cool", "neutral", "sunset"),
    "light_type": ("softbox", "sunlight", "spotlight", "ambient"),
}


AXES_OF: dict[str, dict[str, tuple[str, ...]]] = {
    "segmind": AXES,
    "fal": {
        "light_type": (
            "midday",
            "blue hour light",
            "moonlight lighting",
            "harsh studio lighting",
            "low-angle sunlight",
            "sunrise light",
            "overcast light",
            "cloud-filtered lighting",
            "fog-diffused lighting",
            "starlight nighttime",
            "soft bokeh lighting",
            "spotlight on subject",
        ),
        "light_direction": ("front", "side", "bottom", "top-down"),
    },
    "replicate": {
        "prompt": (
            "dusk",
            "noon",
            "neon",
            "fog",
            "snow",
            "fire",
            "rain",
            "sun",
            "moon",
            "ice",
            "sea",
            "sky",
        ),
        "light_source": ("None", "Left Light", "Right Light", "Top Light"),
    },
    "comfyui": {
        "prompt": ("dusk", "noon", "neon", "fog"),
        "light_direction": ("left", "right", "top", "bottom"),
    },
}
"""Backend → the axes of the recipe that buys from it."""
KEYS = {
    "segmind": ("SEGMIND_API_KEY", KEY),
    "fal": ("FAL_KEY", "0123-4567:89abcdef"),
    "replicate": ("REPLICATE_API_TOKEN", "r8_0123456789abcdef"),
}
"""Backend → the variable with its key, and a key."""


def standing_in(backend: str, url: str, settling: float) -> dict[str, str]:
    """The environment in which the emulator at `url` takes the place of the provider itself."""
    if backend == "comfyui":  # a server of one's own is no stand-in, and has no key
        return {"COMFYUI_URL": url}
    name, key = KEYS[backend]
    return {
        f"RELIGHTFLOW_{backend.upper()}_URL": url,
        "RELIGHTFLOW_REHEARSAL": "no",
        f"RELIGHTFLOW_{backend.upper()}_SETTLING": str(settling),
        name: key,
    }


def environment(more: Mapping[str, str] | None = None, package: Path = ROOT) -> dict[str, str]:
    """Ours without what a developer's machine may hold, with the package of `package`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(
            ("RELIGHTFLOW_", "SEGMIND_", "FAL_", "REPLICATE_", "COMFYUI_", "GITHUB_", "COV_")
        )
    }
    return {**kept, "PYTHONPATH": str(package), "COLUMNS": "100", **(more or {})}


@dataclass(frozen=True, slots=True)
class Emulated:
    """A running emulator, asked over HTTP like anybody's."""

    url: str

    def bill(self) -> list[dict[str, Any]]:
        """The billed requests, in the order they were taken."""
        return [row for row in self._get("/__bill")["requests"] if row["billed"]]

    def taken(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._get("/__bill")["requests"]
        return rows

    def wire(self) -> dict[str, Any]:
        found: dict[str, Any] = self._get("/__requests?calls=5000")
        return found

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def emulated(folder: Path, *options: str, plan: str = "") -> Iterator[Emulated]:
    """An emulator as a process; `plan` is a fault plan. It ends with the block."""
    if plan:
        (folder / "faults.yaml").write_text(plan)
        options = (*options, "--faults", str(folder / "faults.yaml"))
    command = ("emulator", "--port", "0", "--image", "tiny", *options)
    process = commands.start(command, folder, environment())
    try:
        yield Emulated(process.first_line().split()[-1])
    finally:
        process.send(signal.SIGTERM)
        process.wait()


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be bought: so many images × so many cells × so many repeats."""

    api: str = "v2"
    images: int = 1
    cells: int = 24
    repeat: int = 1
    concurrency: int = 8
    model: str = "segmind-relighting"
    limits: str = ""
    """More lines under `limits`."""
    max_cost: int = 100
    backend: str = "segmind"

    @property
    def jobs(self) -> int:
        return self.images * self.cells * self.repeat

    def recipe(self) -> str:
        axes = "\n".join(
            f"  {name}: [{', '.join(values)}]" for name, values in AXES_OF[self.backend].items()
        )
        option = f", api: {self.api}" if self.backend == "segmind" else ""
        return RECIPE.format(
            backend=f"{{type: {self.backend}, model: {self.model}{option}}}",
            axes=axes,
            count=self.cells,
            repeat=self.repeat,
            concurrency=self.concurrency,
            limits=self.limits,
            max_cost=self.max_cost,
        )

    def cut(self) -> list[dict[str, str]]:
        """The cells, as the recipe takes them."""
        axes = AXES_OF[self.backend]
        rows = (dict(zip(axes, values, strict=True)) for values in product(*axes.values()))
        return list(islice(rows, self.cells))


RECIPE = """\
version: 1
name: reliability
sources: [{{type: glob, include: ["in/*.jpg"]}}]
backend: {backend}
matrix:
{axes}
sample: {{strategy: first, count: {count}}}
repeat: {repeat}
limits:
  concurrency: {concurrency}
  max_cost: {max_cost}
{limits}
sinks: [{{type: directory, path: out/}}]
"""


@dataclass(slots=True)
class Shop:
    """A folder with a recipe, its images and its state, and the program that works in it."""

    folder: Path
    url: str
    work: Work = field(default_factory=Work)
    package: Path = ROOT
    """Where the program's package lies: ours, or a copy that is broken on purpose."""
    fork: bool = True
    """False: every command is a new interpreter, for what is timed."""

    def __post_init__(self) -> None:
        (self.folder / "in").mkdir(parents=True, exist_ok=True)
        for number in range(self.work.images):
            (self.folder / "in" / f"{number}.jpg").write_bytes(unique(tiny(), f"in {number}"))
        (self.folder / "recipe.yaml").write_text(self.work.recipe())

    @property
    def state(self) -> Path:
        return self.folder / ".relightflow"

    def start(self, *options: str, env: Mapping[str, str] | None = None) -> commands.Running:
        given = {
            **standing_in(self.work.backend, self.url, SETTLING),
            "RELIGHTFLOW_STATE": str(self.state),
            **(env or {}),
        }
        fork = self.fork and self.package == ROOT and "LD_PRELOAD" not in given
        return commands.start(
            ("run", "recipe.yaml", "--yes", *options),
            self.folder,
            environment(given, self.package),
            fork=fork,
        )

    def run(self, *options: str, env: Mapping[str, str] | None = None) -> Ended:
        """One run, undisturbed but for what `env` arms."""
        said = self.start(*options, env=env).wait()
        return Ended(said.code, said.text)

    def finish(self, rounds: int = 12, env: Mapping[str, str] | None = None) -> list[Ended]:
        """Runs until everything is in place; waits for the provider's records in between."""
        ended = [self.run(env=env)]
        while ended[-1].exit != 0 and len(ended) < rounds:
            if ended[-1].exit == 5:
                time.sleep(SETTLING + 0.5)
            ended.append(self.run(env=env))
        return ended

    def buy_one_more(self, env: Mapping[str, str] | None = None) -> list[Ended]:
        """Runs until everything is in place with one cell more: a call after which nothing was bought
        has no later one that vouches for the records, and stays unknown until then."""
        self.work = replace(self.work, cells=self.work.cells + 1)
        (self.folder / "recipe.yaml").write_text(self.work.recipe())
        return self.finish(4, env)

    def delivered(self) -> Sequence[Path]:
        return sorted((self.folder / "out").glob("*.jpg"))


@dataclass(frozen=True, slots=True)
class Ended:
    exit: int
    said: str
