import json
import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.program import environment
from tests.processes.commands import start

RECIPE = """\
version: 1
name: {name}
sources: [{{type: glob, include: ["*.png"]}}]
backend: {{type: {backend}}}
matrix: {{light_direction: [left, right]}}
sinks: [{{type: directory, path: {out}/}}]
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts a recipe of two cells for one image into the folder where the program runs. `spring` writes to
    `out/`, any other to a folder of its own."""

    def recipe(name: str = "spring", backend: str = "preview", more: str = "") -> Path:
        path = tmp_path / f"{name}.yaml"
        out = "out" if name == "spring" else name
        path.write_text(RECIPE.format(name=name, backend=backend, out=out) + more)
        return path

    Image.new("RGB", (48, 32), (90, 120, 150)).save(tmp_path / "shoe.png")
    return recipe


class Rehearsal:
    """An emulator of the provider in a process of its own, and what it has billed."""

    def __init__(self, url: str) -> None:
        self.env = {
            "RELIGHTFLOW_SEGMIND_URL": url,
            "RELIGHTFLOW_REHEARSAL": "no",  # the emulator stands for the provider itself
            "SEGMIND_API_KEY": "SG_0123456789abcdef",
        }
        self._url = url

    def bill(self) -> list[dict[str, Any]]:
        """Every request that was billed."""
        with urllib.request.urlopen(f"{self._url}/__bill", timeout=20) as answer:
            return [row for row in json.load(answer)["requests"] if row["billed"]]


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Rehearsal]:
    command = ("emulator", "--latency", "0", "--image", "tiny")
    child = start(command, tmp_path, environment())
    try:
        yield Rehearsal(child.first_line().split()[-1])
    finally:
        child.send(signal.SIGTERM)
        child.wait()
