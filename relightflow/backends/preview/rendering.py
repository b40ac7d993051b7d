"""Lays the light on the full-size image and maps its tones to 8 bits.

Works in strips, so that a large image needs no more memory than a small one and everything stays in
the processor's cache.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import PIL.Image

from relightflow.backends.preview.arrays import Bytes, Map, roll_off
from relightflow.backends.preview.scene import Surface
from relightflow.backends.preview.shading import Shading

_STRIP_PIXELS = 60_000
_STRIP_ROWS = 256
_DESATURATION = 0.35
"""Share of their colour that the brightest parts lose."""


def render(surface: Surface, shading: Shading) -> Bytes:
    """The relit image: same size, (height, width, 3) uint8 sRGB."""
    _, height, width = surface.planes.shape
    out = np.empty_like(surface.planes)
    rows = min(max(4, _STRIP_PIXELS // width), _STRIP_ROWS)
    maps = _Enlarger(shading, height, width)
    noise = _noise(width, rows)
    # allocated once: the system takes and gives back memory more slowly than this multiplies
    room = np.empty((8, rows, width), np.float32)
    for top in range(0, height, rows):
        part = slice(top, min(top + rows, height))
        planes, spare = room[:3, : part.stop - top], room[3:, : part.stop - top]
        np.copyto(planes, surface.planes[:, part])
        _light(planes, surface, shading, maps, part, spare)
        red, green, blue = surface.planes[:, part]
        np.copyto(spare[0], np.maximum(np.maximum(red, green), blue))
        _roll_off(planes, spare[0], noise[: part.stop - top], spare[1:])
        np.copyto(out[:, part], planes, casting="unsafe")  # cut to whole codes
    # Pillow lays three planes together many times faster than numpy
    return np.asarray(PIL.Image.merge("RGB", [PIL.Image.fromarray(plane) for plane in out]))


def _light(
    planes: Map, surface: Surface, shading: Shading, maps: _Enlarger, part: slice, spare: Map
) -> None:
    """`planes` (3, rows, width), 0 to 255, times the light of both layers, in place.

    `spare` (5, rows, width) is used up.
    """
    luma = surface.luma[part]
    gain, matte, field, other, third = spare
    np.multiply(shading.matte[part], np.float32(1 / 255), out=matte)
    maps.mixed(0, matte, part, gain, field, other)
    gain *= _looked_up(shading.tone, luma, other)
    if shading.ceilings is not None:
        maps.mixed(2, matte, part, third, field, other)
        np.minimum(gain, third, out=gain)
    for slope, weight in zip(surface.texture, shading.texture, strict=True):
        if weight:
            np.multiply(slope[part], np.float32(weight / 127), out=other)
            other += 1
            gain *= other
    planes *= gain
    if shading.colour is not None:
        _looked_up(shading.colour_share, luma, third)
        for c in range(3):
            maps.plain(maps.colour + c, part, field, other)
            field *= third
            field += 1
            planes[c] *= field
    if shading.haze is not None:
        maps.plain(maps.haze, part, field, other)
        np.subtract(1, matte, out=matte)
        field *= matte
        for c in range(3):
            planes[c] += np.multiply(field, 255 * shading.haze_colour[c], out=other)


def _roll_off(planes: Map, before: Map, noise: Map, spare: Map) -> None:
    """Bends what became brighter and adds the noise, in place; uses up `before` and `spare`.

    The largest channel is bent and the others follow, so that a colour keeps its hue; the brightest
    parts lose some colour, as film and eyes do.
    """
    after, bent, pale, _ = spare
    np.maximum(planes[0], planes[1], out=after)
    np.maximum(after, planes[2], out=after)
    after += np.float32(1e-3)
    roll_off(before, after, 255, spare[1:3])
    bend = np.divide(bent, after, out=after)
    np.multiply(bend, np.float32(-_DESATURATION), out=pale)
    pale += np.float32(_DESATURATION)
    bent *= pale
    bent += noise
    np.subtract(1, pale, out=pale)
    bend *= pale
    planes *= bend
    planes += bent
    np.minimum(planes, 255, out=planes)


def _looked_up(table: Map, codes: Bytes, out: Map) -> Map:
    """`table[codes]` to within 1/255 of the table's range, three times as fast as numpy's lookup."""
    low, span = float(table.min()), float(np.ptp(table))
    steps = np.rint((table - low) * (255 / max(span, 1e-6))).astype(np.uint8)
    found = np.frombuffer(codes.tobytes().translate(steps.tobytes()), np.uint8)
    np.multiply(found.reshape(codes.shape), np.float32(span / 255), out=out)
    out += np.float32(low)
    return out


class _Enlarger:
    """The maps of a shading, enlarged to the image's width at once and to its height by strips."""

    def __init__(self, shading: Shading, height: int, width: int) -> None:
        maps = [shading.behind, shading.before - shading.behind]
        if shading.ceilings is not None:
            maps += [shading.ceilings[0], shading.ceilings[1] - shading.ceilings[0]]
        self.colour = len(maps)
        if shading.colour is not None:
            maps += list(shading.colour - 1)
        self.haze = len(maps)
        if shading.haze is not None:
            maps.append(shading.haze)
        self._empty = [not bool(np.abs(m).max() > 1e-3) for m in maps]
        tall = maps[0].shape[0]
        self._maps = [_widened(m, width) for m in maps]
        at = (np.arange(height, dtype=np.float32) + 0.5) * (tall / height) - 0.5
        at = np.clip(at, 0, tall - 1).astype(np.float32)
        self._first = np.minimum(at.astype(np.intp), max(0, tall - 2))
        self._second = np.minimum(self._first + 1, tall - 1)
        self._share = (at - self._first).astype(np.float32)[:, None]

    def plain(self, index: int, part: slice, out: Map, spare: Map) -> None:
        """Some rows of a map at full size, into `out`."""
        np.take(self._maps[index], self._first[part], axis=0, out=out, mode="clip")
        np.take(self._maps[index], self._second[part], axis=0, out=spare, mode="clip")
        spare -= out
        spare *= self._share[part]
        out += spare

    def mixed(self, index: int, matte: Map, part: slice, out: Map, spare: Map, other: Map) -> None:
        """A map and its difference to the layer above, laid over each other, into `out`."""
        self.plain(index, part, out, spare)
        if not self._empty[index + 1]:
            self.plain(index + 1, part, spare, other)
            spare *= matte
            out += spare


def _widened(field: Map, width: int) -> Map:
    image = PIL.Image.fromarray(np.ascontiguousarray(field, np.float32))
    return np.asarray(image.resize((width, field.shape[0]), PIL.Image.Resampling.BILINEAR))


@lru_cache(maxsize=8)
def _noise(width: int, rows: int) -> Map:
    """Less than one step of noise, always the same: smooth light would show bands without it."""
    tile = np.random.default_rng(20).random((rows, 251), np.float32)
    return np.tile(tile, (1, width // 251 + 1))[:, :width]
