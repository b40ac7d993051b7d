from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from relightflow.backends.preview import shading as shading_module
from relightflow.backends.preview.parameters import TEMPERATURES, light_setup
from relightflow.backends.preview.scene import estimate
from relightflow.backends.preview.shading import Shader, Shading, shade
from relightflow.images import PNG, Pixels
from relightflow.model.values import FrozenMap

Bytes = np.ndarray[Any, Any]
Cell = Callable[..., FrozenMap]
Relit = Callable[[Bytes, FrozenMap], Bytes]


def shading(rgb: Bytes, words: FrozenMap) -> Shading:
    return shade(estimate(Pixels(rgb, None, PNG)), light_setup(words))


def test_a_pool_of_bright_light_does_not_burn_out(cell: Cell, relit: Relit) -> None:
    pale = np.full((150, 200, 3), 215, np.uint8)
    pale[50:110, 70:130] = 190
    out = relit(pale, cell(direction="top", type="spotlight", intensity="bright"))
    assert (out.min(axis=2) >= 253).mean() < 0.02


def test_light_that_was_there_is_partly_taken_out(cell: Cell, relit: Relit) -> None:
    x = np.linspace(70, 190, 240)[None, :, None]
    lit_from_the_right = np.broadcast_to(x, (160, 240, 3)).astype(np.uint8)

    def slope(pixels: Bytes) -> float:
        return float(pixels[:, 120:].mean() / pixels[:, :120].mean())

    top = relit(lit_from_the_right, cell(direction="top", type="ambient"))
    assert 1.05 < slope(top) < 0.96 * slope(lit_from_the_right)


def test_every_map_is_single_precision(image: Bytes, cell: Cell) -> None:
    for direction in ("left", "back"):
        words = cell(direction=direction, type="spotlight", temperature="warm")
        found = shading(image, words)
        ceilings = found.ceilings or ()
        for field in (found.behind, found.before, found.tone, found.colour, *ceilings):
            assert field is not None
            assert field.dtype == np.float32
            assert np.isfinite(field).all()
            assert field.min() >= 0


def test_neutral_light_has_no_colour(image: Bytes, cell: Cell) -> None:
    assert shading(image, cell(temperature="neutral")).colour is None


def test_skin_takes_less_of_a_lights_colour_than_a_leaf(cell: Cell) -> None:
    skin = np.full((40, 40, 3), (198, 134, 94), np.uint8)
    leaf = np.full((40, 40, 3), (94, 170, 90), np.uint8)
    for temperature in ("cool", "warm", "sunset"):
        on_skin, on_leaf = (
            shading(pixels, cell(temperature=temperature)).colour for pixels in (skin, leaf)
        )
        assert on_skin is not None
        assert on_leaf is not None
        assert np.ptp(on_skin, axis=0).max() < 0.7 * np.ptp(on_leaf, axis=0).max()


def test_a_print_is_toned_in_its_middle_tones(cell: Cell) -> None:
    x = np.linspace(0, 255, 240)[None, :, None]
    grey = np.broadcast_to(x, (160, 240, 3)).astype(np.uint8)
    taken = shading(grey, cell(temperature="warm")).colour_taken / np.arange(1, 257)
    assert taken[5] < 0.2
    assert taken[128] > 0.9
    assert taken[255] < 0.3


def test_what_is_kept_for_the_next_colour_changes_no_bit(image: Bytes, cell: Cell) -> None:
    scene = estimate(Pixels(image, None, PNG))
    shader = Shader(scene)
    for direction in ("left", "back"):
        for type_ in ("spotlight", "ambient"):
            for temperature in TEMPERATURES:
                setup = light_setup(cell(direction=direction, type=type_, temperature=temperature))
                kept, fresh = shader.shade(setup), shade(scene, setup)
                for name in Shading.__slots__:
                    one, other = getattr(kept, name), getattr(fresh, name)
                    assert (one is None) == (other is None)
                    assert one is None or np.array_equal(np.asarray(one), np.asarray(other))


def test_the_white_part_is_made_once_for_all_colours_and_few_are_kept(
    image: Bytes, cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    real = shading_module._white

    def counting(scene: Any, setup: Any) -> Any:
        made.append(setup)
        return real(scene, setup)

    monkeypatch.setattr(shading_module, "_white", counting)
    shader = Shader(estimate(Pixels(image, None, PNG)))
    for temperature in TEMPERATURES:
        for type_ in ("softbox", "sunlight", "spotlight", "ambient"):
            shader.shade(light_setup(cell(type=type_, temperature=temperature)))
    assert len(made) == 4
    for direction in ("left", "top", "back"):
        for intensity in ("mood", "bright", "strong"):
            shader.shade(light_setup(cell(direction=direction, intensity=intensity)))
    assert len(shader._kept) == 6
