"""Lays the light on the full-size image and maps its tones to 8 bits.

Works in strips, so that a large image needs no more memory than a small one and everything stays in
the processor's cache.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from functools import lru_cache
from threading import Lock
from weakref import ref

import numpy as np
import PIL.Image

from relightflow.backends.preview.arrays import Bytes, Map, roll_off_limits, rolled_off
from relightflow.backends.preview.scene import Surface
from relightflow.backends.preview.shading import Shading

_STRIP_PIXELS = 60_000
_STRIP_ROWS = 256
_DESATURATION = 0.35
"""Share of their colour that the brightest parts lose."""
_KEPT = 6
"""Gains that are kept for other colours of the light: the innermost axis has four values, and several
threads ask."""
_KEPT_PIXELS = 1_500_000
"""Of a larger image nothing is kept: this one takes up to 54 MB."""
_KEPT_IMAGES = 1
"""Images of which something is kept at a time: a run goes through one after the other."""


def render(surface: Surface, shading: Shading) -> Bytes:
    """The relit image: same size, (height, width, 3) uint8 sRGB."""
    return np.asarray(Renderer(surface).render(shading))


_turn = Lock()
_keepers: deque[ref[Renderer]] = deque()


class Renderer:
    """Renders one surface in many lights. Of an image that is rendered more than once, what several lights
    share is kept, if it is not large. May be called in several threads."""

    def __init__(self, surface: Surface) -> None:
        _, height, width = surface.planes.shape
        self._surface = surface
        rows = self._rows = min(max(4, _STRIP_PIXELS // width), _STRIP_ROWS)
        self._strips = [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
        self._white = np.full(
            width, 255, np.float32
        )  # numpy compares rows faster than with a number
        self._rendered = 0
        self._limits: dict[int, tuple[Map, Map]] = {}
        self._colours_taken: dict[int, tuple[Map, Map]] = {}
        self._gains: dict[Hashable, dict[int, Map]] = {}

    def render(self, shading: Shading, white: Hashable = None) -> PIL.Image.Image:
        """The relit image in RGB. `white`: what the gains of `shading` follow from; None: keep none."""
        _, height, width = self._surface.planes.shape
        keeps = self._may_keep()
        gains = self._kept(white) if keeps and white is not None else None
        out = np.empty_like(self._surface.planes)
        maps = _Enlarger(shading, height, width)
        noise = _noise(width, self._rows)
        # allocated once: the system takes and gives back memory more slowly than this multiplies
        room = np.empty((10, self._rows, width), np.float32)
        for part in self._strips:
            rows = part.stop - part.start
            planes, spare = room[:3, :rows], room[3:, :rows]
            np.copyto(planes, self._surface.planes[:, part])
            gain = self._gain(shading, maps, part, spare, gains)
            planes *= gain
            if shading.colour is not None:
                taken = self._colour_taken(shading.colour_taken, part, spare[6], keeps)
                _colour(planes, maps, part, np.multiply(taken, gain, out=spare[6]), spare)
            if shading.haze is not None:
                _haze(planes, shading, maps, part, spare)
            _roll_off(planes, self._limits_of(part, keeps), noise[:rows], spare[:4])
            np.minimum(planes, self._white, out=planes)
            np.copyto(out[:, part], planes, casting="unsafe")  # cut to whole codes
        # Pillow lays three planes together many times faster than numpy
        return PIL.Image.merge("RGB", [PIL.Image.fromarray(plane) for plane in out])

    def _may_keep(self) -> bool:
        """From the second light on. The images before the last ones forget what they have kept."""
        _, height, width = self._surface.planes.shape
        self._rendered += 1
        if self._rendered < 2 or height * width > _KEPT_PIXELS:
            return False
        with _turn:
            if all(keeper() is not self for keeper in _keepers):
                _keepers.append(ref(self))
            while len(_keepers) > _KEPT_IMAGES:
                if (old := _keepers.popleft()()) is not None:
                    old._forget()
        return True

    def _forget(self) -> None:
        for kept in (self._limits, self._gains, self._colours_taken):
            kept.clear()

    def _kept(self, white: Hashable) -> dict[int, Map]:
        """The gains of `white` by the first row of their strip."""
        found = self._gains.setdefault(white, {})
        for old in list(self._gains)[:-_KEPT]:
            self._gains.pop(old, None)
        return found

    def _gain(
        self,
        shading: Shading,
        maps: _Enlarger,
        part: slice,
        spare: Map,
        kept: dict[int, Map] | None,
    ) -> Map:
        if kept is None:
            return _gain(self._surface, shading, maps, part, spare)
        found = kept.get(part.start)
        if found is None:
            found = kept[part.start] = _gain(self._surface, shading, maps, part, spare).copy()
        return found

    def _colour_taken(self, table: Map, part: slice, out: Map, keeps: bool) -> Map:
        made_of, found = self._colours_taken.get(part.start, (None, out))
        if made_of is not table:
            _looked_up(table, self._surface.luma[part], out)
            found = out
            if keeps:
                self._colours_taken[part.start] = table, out.copy()
        return found

    def _limits_of(self, part: slice, keeps: bool) -> tuple[Map, Map]:
        found = self._limits.get(part.start)
        if found is None:
            red, green, blue = self._surface.planes[:, part]
            brightest = np.maximum(np.maximum(red, green), blue).astype(np.float32)
            found = roll_off_limits(brightest, 255)
            if keeps:
                self._limits[part.start] = found
        return found


def _gain(surface: Surface, shading: Shading, maps: _Enlarger, part: slice, spare: Map) -> Map:
    """(rows, width) what the light of both layers multiplies every channel with; uses up `spare`."""
    luma = surface.luma[part]
    gain: Map
    gain, matte, field, other, third = spare[:5]
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
    return gain


def _colour(planes: Map, maps: _Enlarger, part: slice, taken: Map, spare: Map) -> None:
    """Adds the light's colour to `planes` (3, rows, width), in place; uses up `spare`.

    Every channel changes by a part of what the pixel takes, which follows its brightness: a colour moves
    towards that of the light through grey. If each channel were multiplied instead, a blue sky would turn
    green under a warm light. No channel loses a larger part than it would by multiplication.
    """
    fields, others = spare[:3], spare[3:6]
    maps.plain(maps.colour, part, fields, others)
    for plane, field, other, gains in zip(planes, fields, others, maps.colour_gains, strict=True):
        field *= taken if gains else np.minimum(plane, taken, out=other)
        plane += field


def _haze(planes: Map, shading: Shading, maps: _Enlarger, part: slice, spare: Map) -> None:
    """Adds to `planes` (3, rows, width), 0 to 255, what shines behind; uses up `spare`."""
    field, matte, other = spare[:3]
    maps.plain(maps.haze, part, field, other)
    np.multiply(shading.matte[part], np.float32(1 / 255), out=matte)
    np.subtract(1, matte, out=matte)
    field *= matte
    for c in range(3):
        planes[c] += np.multiply(field, 255 * shading.haze_colour[c], out=other)


def _roll_off(planes: Map, limits: tuple[Map, Map], noise: Map, spare: Map) -> None:
    """Bends what became brighter and adds the noise, in place; uses up `spare`.

    The largest channel is bent and the others follow, so that a colour keeps its hue; the brightest
    parts lose some colour, as film and eyes do.
    """
    after, bent, pale, _ = spare
    np.maximum(planes[0], planes[1], out=after)
    np.maximum(after, planes[2], out=after)
    after += np.float32(1e-3)
    rolled_off(after, limits, 255, spare[1:3])
    bend = np.divide(bent, after, out=after)
    np.multiply(bend, np.float32(-_DESATURATION), out=pale)
    pale += np.float32(_DESATURATION)
    bent *= pale
    bent += noise
    np.subtract(1, pale, out=pale)
    bend *= pale
    planes *= bend
    planes += bent


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
        self.colour_gains = [False, False, False]
        if shading.colour is not None:
            maps.append(shading.colour - 1)
            self.colour_gains = [bool(change.min() > -0.01) for change in maps[-1]]
        self.haze = len(maps)
        if shading.haze is not None:
            maps.append(shading.haze)
        self._maps = maps
        self._width = width
        self._wide: dict[int, tuple[Map, Map]] = {}
        self._empty: dict[int, bool] = {}
        tall = maps[0].shape[0]
        at = (np.arange(height, dtype=np.float32) + 0.5) * (tall / height) - 0.5
        at = np.clip(at, 0, tall - 1).astype(np.float32)
        self._first = np.minimum(at.astype(np.intp), max(0, tall - 2))
        self._share = (at - self._first).astype(np.float32)[:, None]

    def plain(self, index: int, part: slice, out: Map, spare: Map) -> None:
        """Some rows of a map at full size, into `out`."""
        wide = self._wide.get(index)
        if wide is None:
            wide = self._wide[index] = _widened(self._maps[index], self._width)
        rows, steps = wide
        np.take(rows, self._first[part], axis=-2, out=out, mode="clip")
        np.take(steps, self._first[part], axis=-2, out=spare, mode="clip")
        spare *= self._share[part]
        out += spare

    def mixed(self, index: int, matte: Map, part: slice, out: Map, spare: Map, other: Map) -> None:
        """A map and its difference to the layer above, laid over each other, into `out`."""
        self.plain(index, part, out, spare)
        if self._is_empty(index + 1):
            return
        self.plain(index + 1, part, spare, other)
        spare *= matte
        out += spare

    def _is_empty(self, index: int) -> bool:
        if index not in self._empty:
            self._empty[index] = not bool(np.abs(self._maps[index]).max() > 1e-3)
        return self._empty[index]


def _widened(field: Map, width: int) -> tuple[Map, Map]:
    """(…, height, width) a map at that width, and from each row the step to the next."""
    out = np.empty((*field.shape[:-1], width), np.float32)
    flat, layers = out.reshape(-1, *out.shape[-2:]), field.reshape(-1, *field.shape[-2:])
    for layer, into in zip(layers, flat, strict=True):
        image = PIL.Image.fromarray(np.ascontiguousarray(layer, np.float32))
        into[:] = image.resize((width, layer.shape[0]), PIL.Image.Resampling.BILINEAR)
    steps = np.zeros_like(out)
    np.subtract(out[..., 1:, :], out[..., :-1, :], out=steps[..., :-1, :])
    return out, steps


@lru_cache(maxsize=8)
def _noise(width: int, rows: int) -> Map:
    """Less than one step of noise, always the same: smooth light would show bands without it."""
    tile = np.random.default_rng(20).random((rows, 251), np.float32)
    return np.tile(tile, (1, width // 251 + 1))[:, :width]
