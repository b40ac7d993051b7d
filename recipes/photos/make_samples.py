"""Makes the sample images beside this file: `python recipes/photos/make_samples.py [name…]`.

Three scenes in soft, neutral light, so that there is something to relight: a still life, a product
on a table, a bust. Each takes about a minute.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import PIL.Image
from scenes import bust, product, still_life
from tracer import Scene, develop, render

HERE = Path(__file__).parent
SAMPLES: dict[str, tuple[Callable[[], Scene], tuple[int, int], float]] = {
    "still-life.jpg": (still_life.scene, (1152, 864), 0.92),
    "perfume.webp": (product.scene, (896, 1120), 0.85),
    "bust.jpg": (bust.scene, (864, 1080), 0.95),
}


def main(names: list[str]) -> None:
    small = "--small" in names
    chosen = [name for name in names if name in SAMPLES] or list(SAMPLES)
    for name in chosen:
        scene, (width, height), exposure = SAMPLES[name]
        size = (width // 2, height // 2) if small else (width, height)
        linear = render(scene(), *size, samples=1 if small else 5)
        image = PIL.Image.fromarray(develop(linear, exposure))
        options = {"quality": 88} if name.endswith(".jpg") else {"quality": 88, "method": 6}
        place = Path(tempfile.gettempdir()) / f"{name}.png" if small else HERE / name
        image.save(place, **({} if small else options))
        sys.stdout.write(f"{place}: {place.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
