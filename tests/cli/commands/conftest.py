from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

RECIPE = """\
version: 1
name: {name}
sources: [{{type: glob, include: ["*.png"]}}]
backend: {{type: {backend}}}
matrix: {{light_direction: [left, right]}}
sinks: [{{type: directory, path: out/}}]
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Puts a recipe of two cells for one image into the folder where the program runs."""

    def recipe(name: str = "spring", backend: str = "preview", more: str = "") -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(RECIPE.format(name=name, backend=backend) + more)
        return path

    Image.new("RGB", (48, 32), (90, 120, 150)).save(tmp_path / "shoe.png")
    return recipe
