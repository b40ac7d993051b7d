"""Images that the preview's quality is measured on: photographs that Python packages ship, and drawings.

The photographs come with scikit-image, scikit-learn and matplotlib (the dependency group `photographs`); none is
part of this repository. `docs/explanation/preview.md` names their authors and licences. The drawings
stand for kinds that no package ships. Boxes are (left, top, right, bottom) as shares of the image,
marked by hand: well inside the subject, well inside its background, on bare skin.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFilter

Array = np.ndarray[Any, Any]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Photograph:
    """An image with what a person sees in it."""

    name: str
    rgb: Array
    """(height, width, 3) uint8 sRGB."""
    alpha: Array | None = None
    """(height, width) uint8, where the image has transparency."""
    subject: Box | None = None
    background: Box | None = None
    skin: Box | None = None


_SHIPPED: tuple[tuple[str, str, Box | None, Box | None, Box | None], ...] = (
    ("astronaut", "skimage/data/astronaut.png",
     (0.28, 0.45, 0.55, 0.90), (0.56, 0.05, 0.64, 0.30), (0.41, 0.14, 0.52, 0.30)),
    ("hopper", "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
     (0.30, 0.72, 0.75, 0.98), (0.80, 0.05, 0.98, 0.45), (0.38, 0.28, 0.62, 0.48)),
    ("camera", "skimage/data/camera.png",
     (0.22, 0.50, 0.42, 0.72), (0.60, 0.05, 0.95, 0.40), None),
    ("chelsea", "skimage/data/chelsea.png",
     (0.25, 0.25, 0.65, 0.85), (0.88, 0.05, 0.99, 0.30), None),
    ("coffee", "skimage/data/coffee.png",
     (0.32, 0.20, 0.58, 0.70), (0.82, 0.05, 0.99, 0.60), None),
    ("flower", "sklearn/datasets/images/flower.jpg",
     (0.34, 0.30, 0.60, 0.68), (0.02, 0.05, 0.18, 0.90), None),
    ("china", "sklearn/datasets/images/china.jpg",
     (0.22, 0.35, 0.50, 0.65), (0.60, 0.03, 0.97, 0.40), None),
    ("rocket", "skimage/data/rocket.jpg",
     (0.507, 0.45, 0.535, 0.85), (0.05, 0.03, 0.95, 0.25), None),
    ("motorcycle", "skimage/data/motorcycle_left.png", (0.35, 0.35, 0.70, 0.70), None, None),
    ("hubble", "skimage/data/hubble_deep_field.jpg", None, None, None),
    ("brick", "skimage/data/brick.png", None, None, None),
)  # fmt: skip


def photographs(longest: int = 480) -> Iterator[Photograph]:
    """All images, shrunk to `longest` pixels. Raises SystemExit where the group is not installed."""
    for name, path, subject, background, skin in _SHIPPED:
        rgb = np.asarray(_shrunk(PIL.Image.open(_file(path)).convert("RGB"), longest))
        yield Photograph(name, rgb, None, subject, background, skin)
        if name == "hopper":
            grey = np.asarray(PIL.Image.fromarray(rgb).convert("L").convert("RGB"))
            yield Photograph("hopper-grey", grey, None, subject, background, None)
    for draw in (product, cutout, bokeh, roof, street):
        yield draw(longest)


def _file(path: str) -> Path:
    package, _, rest = path.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is missing: pip install --group photographs")
    return Path(spec.origin).parent / rest


def _shrunk(image: PIL.Image.Image, longest: int) -> PIL.Image.Image:
    scale = min(1.0, longest / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, PIL.Image.Resampling.BOX)


def _drawn(
    longest: int, ground: Callable[[Array, Array], Array], shapes: Callable[[Any, int], None]
) -> Array:
    """A smooth `ground` of (x, y) with `shapes` on it, drawn at twice the size, with some noise."""
    w, h = longest * 2, longest * 3 // 2
    x, y = np.meshgrid(np.linspace(0, 1, w), np.linspace(0, 1, h))
    canvas = PIL.Image.fromarray(np.clip(ground(x, y), 0, 255).astype(np.uint8))
    shapes(canvas, w)
    small = np.asarray(canvas.resize((w // 2, h // 2), PIL.Image.Resampling.BOX), np.float64)
    noise = np.random.default_rng(3).normal(0, 1.2, small.shape[:2])[..., None]
    return np.clip(small + noise, 0, 255).astype(np.uint8)


def _colours(*channels: Array) -> Array:
    return np.dstack(channels)


def _bottle(canvas: PIL.Image.Image, w: int) -> None:
    """A green bottle with a white label; its sides are darker than its middle."""
    draw = PIL.ImageDraw.Draw(canvas)
    for k in range(40):
        d = k / 40
        half = 0.075 * (1 - d)
        colour = (int(30 + 60 * d), int(90 + 80 * d), int(60 + 60 * d))
        draw.rounded_rectangle(
            [(0.5 - half) * w, 0.25 * w, (0.5 + half) * w, 0.66 * w], 0.02 * w, fill=colour
        )
        neck = half * 0.36
        draw.rectangle([(0.5 - neck) * w, 0.09 * w, (0.5 + neck) * w, 0.27 * w], fill=colour)
    draw.rectangle([0.43 * w, 0.38 * w, 0.57 * w, 0.52 * w], fill=(236, 230, 214))
    draw.rectangle([0.45 * w, 0.42 * w, 0.55 * w, 0.45 * w], fill=(120, 40, 40))


_BOTTLE = {"subject": (0.44, 0.40, 0.56, 0.84), "background": (0.05, 0.05, 0.30, 0.70)}


def product(longest: int) -> Photograph:
    """A bottle on white paper, as shops show it."""

    def shadow(x: Array, y: Array) -> Array:
        under = np.exp(-(((x - 0.5) / 0.11) ** 2) - ((y - 0.885) / 0.03) ** 2)
        return _colours(*(252 - 90 * under for _ in range(3)))

    return Photograph("product", _drawn(longest, shadow, _bottle), None, **_BOTTLE)


def cutout(longest: int) -> Photograph:
    """The same bottle with its background taken away."""
    black = _drawn(longest, lambda x, y: _colours(*(x * 0 for _ in range(3))), _bottle)
    mask = PIL.Image.fromarray((black.max(axis=2) > 20).astype(np.uint8) * 255)
    alpha = np.asarray(mask.filter(PIL.ImageFilter.GaussianBlur(0.8)))
    return Photograph("cutout", black, alpha, subject=_BOTTLE["subject"])


def bokeh(longest: int) -> Photograph:
    """A mug before lights that are out of focus."""
    random = np.random.default_rng(5)

    def shapes(canvas: PIL.Image.Image, w: int) -> None:
        draw = PIL.ImageDraw.Draw(canvas)
        for _ in range(26):
            cx, cy, r = random.uniform(0, w), random.uniform(0, 0.6 * w), random.uniform(20, 60)
            colour = tuple(int(v) for v in random.integers(60, 230, 3))
            draw.ellipse([cx - r, cy - r, cx + r, cy + r], fill=colour)
        canvas.paste(canvas.filter(PIL.ImageFilter.GaussianBlur(w / 60)))
        draw.rounded_rectangle(
            [0.36 * w, 0.34 * w, 0.62 * w, 0.72 * w], w // 40, fill=(150, 44, 38)
        )
        draw.ellipse([0.36 * w, 0.31 * w, 0.62 * w, 0.37 * w], fill=(60, 30, 24))

    ground = _drawn(longest, lambda x, y: _colours(30 + 20 * y, 26 + 10 * x, 44 - 10 * y), shapes)
    return Photograph("bokeh", ground, None, (0.40, 0.55, 0.58, 0.92), (0.02, 0.05, 0.25, 0.60))


def roof(longest: int) -> Photograph:
    """A roof's slope and a chimney before an even evening sky."""

    def sky(x: Array, y: Array) -> Array:
        return _colours(120 + 100 * y, 160 + 60 * y, 225 - 10 * y)

    def house(canvas: PIL.Image.Image, w: int) -> None:
        draw = PIL.ImageDraw.Draw(canvas)
        draw.polygon(
            [(0, 0.55 * w), (0.45 * w, 0.28 * w), (w, 0.6 * w), (w, w), (0, w)], (96, 60, 52)
        )
        draw.rectangle([0.6 * w, 0.25 * w, 0.67 * w, 0.45 * w], (130, 84, 70))
        for k in range(9):
            draw.line([(0, (0.58 + 0.03 * k) * w), (w, (0.63 + 0.03 * k) * w)], (70, 42, 38), 3)

    pixels = _drawn(longest, sky, house)
    return Photograph("roof", pixels, None, (0.20, 0.70, 0.80, 0.97), (0.03, 0.03, 0.97, 0.25))


def street(longest: int) -> Photograph:
    """A street at night with lamps and lit windows."""
    random = np.random.default_rng(8)

    def ground(x: Array, y: Array) -> Array:
        lamps = [
            np.exp(-(((x - cx) / 0.09) ** 2) - ((y - 0.35) / 0.14) ** 2) for cx in (0.2, 0.5, 0.8)
        ]
        glow = lamps[0] + lamps[1] + lamps[2]
        return _colours(14 + 90 * glow, 14 + 70 * glow, 26 + 30 * glow)

    def shapes(canvas: PIL.Image.Image, w: int) -> None:
        draw = PIL.ImageDraw.Draw(canvas)
        for _ in range(40):
            x, y = random.uniform(0, 0.95) * w, random.uniform(0.02, 0.3) * w
            draw.rectangle([x, y, x + 0.02 * w, y + 0.03 * w], fill=(200, 160, 80))
        for cx in (0.2, 0.5, 0.8):
            draw.line([(cx * w, 0.26 * w), (cx * w, 0.66 * w)], (8, 8, 10), 6)
            draw.ellipse([(cx - 0.015) * w, 0.25 * w, (cx + 0.015) * w, 0.28 * w], (255, 240, 200))

    return Photograph("street", _drawn(longest, ground, shapes))
