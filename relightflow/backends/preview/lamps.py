"""Lights a relief: where key light, fill light and haze fall, as maps at working size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relightflow.backends.preview.arrays import Map, blur, frame, resize
from relightflow.backends.preview.colour import glow, luminance
from relightflow.backends.preview.relief import Relief
from relightflow.backends.preview.style import Direction, Kind, Style

_SHADOW_SIDE = 176
_SHADOW_STEPS = 22
_GREY = 0.20
"""Linear light towards which the exposure pulls."""
_BURNT = 1.1
"""Linear light above which the tone curve has little left to tell apart."""


@dataclass(frozen=True, slots=True)
class Lit:
    """What the image's linear light is multiplied with, and what is added to it.

    relit = image × (key × key_colour + fill × fill_colour) + haze × key_colour
    """

    key: Map
    fill: Map
    haze: Map
    key_colour: Map
    """(3,)"""
    fill_colour: Map
    contrast: float
    pivot: float
    """Linear light that contrast leaves as it is: the image's own mean."""


def light(relief: Relief, style: Style) -> Lit:
    """The light of `style` on `relief`, exposed so that the whole has the brightness it should."""
    if style.direction.behind:
        key, fill, haze = _from_behind(relief, style)
    else:
        key, fill, haze = _from_the_front(relief, style)
    dim = relief.even * _vignette(relief, style)
    key, fill, haze = (np.maximum(part, 0) for part in (key * dim, fill * dim, haze))
    warmth = style.temperature
    key_colour = glow(warmth.key, warmth.key_strength)
    cold = glow(warmth.fill, warmth.fill_strength) * np.array(warmth.tint, np.float32)
    # where light comes from everywhere, it is the lamp's own that comes back from the walls
    fill_colour = cold ** np.float32(1 - style.kind.fill) * key_colour ** np.float32(
        style.kind.fill
    )
    exposure, mean = _exposure(relief, style, key + fill, haze)
    return Lit(
        key=key * exposure,
        fill=fill * exposure,
        haze=haze * exposure,
        key_colour=key_colour,
        fill_colour=fill_colour / luminance(fill_colour),
        contrast=style.kind.contrast * style.intensity.contrast,
        pivot=mean,
    )


def _from_the_front(relief: Relief, style: Style) -> tuple[Map, Map, Map]:
    lamp, kind = style.direction, style.kind
    slope = tuple(
        soft + (hard - soft) * np.float32(kind.fine)
        for soft, hard in zip(relief.soft, relief.hard, strict=True)
    )
    up = 1 / np.sqrt(1 + slope[0] ** 2 + slope[1] ** 2)
    facing = (lamp.z - lamp.x * slope[0] - lamp.y * slope[1]) * up
    key = np.clip((facing + kind.wrap) / (1 + kind.wrap), 0, None)
    key /= np.float32((lamp.z + kind.wrap) / (1 + kind.wrap))  # a wall that faces us gets 1
    key *= 1 - kind.shadow * _cast(relief, lamp, kind)
    key *= _across(relief, lamp, kind)
    if kind.shine:
        key += kind.shine * _shine(slope, up, lamp, kind.sharp) * relief.mask
    if kind.pool:
        key *= _pool(relief, lamp, kind)
    share = min(0.66, kind.fill * style.intensity.ratio)
    fill = share * _openness(relief) * (0.9 + 0.1 * up)
    haze = np.zeros_like(key)
    if kind.pool:
        haze += np.float32(0.012) * _pool(relief, lamp, kind)
    return key * np.float32(1 - share), fill, haze


def _from_behind(relief: Relief, style: Style) -> tuple[Map, Map, Map]:
    """A glow behind a darkened subject; its edge catches the light, which spills over it."""
    kind = style.kind
    height, width = relief.mask.shape
    span = max(height, width)
    x, y = frame(width, height)
    cx, cy = relief.centre
    reach = kind.pool or (1.15 if kind.wrap > 0.3 else 0.9)
    far = np.sqrt(((x - cx) * 0.9) ** 2 + (y - cy + 0.45) ** 2)
    sun = np.exp(-((far / np.float32(reach)) ** 2))
    behind = 1 - relief.mask
    lit = behind * (0.35 + 1.5 * sun)
    # the cubic enlarging inside a wide blur may dip below nothing
    thin = np.maximum(blur(lit, span / 170), 0) * relief.mask
    broad = blur(lit, span / 40) * relief.mask
    tops = np.clip(0.55 + 0.9 * _top(relief), 0.15, 1.6)
    rim = (4.0 * thin**1.2 + 0.9 * broad) * tops * kind.rim
    key = lit * np.float32(0.85) + rim
    if kind.wrap > 0.8:
        key = key * np.float32(0.6) + np.float32(0.15)
    dark = 1 - np.float32(0.42 * (1 - 0.5 * kind.fill)) * relief.mask
    fill = (0.20 + kind.fill * 0.55) * style.intensity.ratio * _openness(relief) * dark
    bloom = blur(lit * (0.3 + relief.bright), span / 14)
    deep = min(1.0, float(relief.bright.mean()) / 0.15)  # in the dark, haze would be all there is
    haze = np.float32(0.05 * kind.rim * deep) * bloom * (0.25 + sun)
    return key * np.float32(1 - 0.6 * kind.fill), fill, haze


def _top(relief: Relief) -> Map:
    """Facing up 1, sideways 0, down -1: which rims a lamp above and behind can reach."""
    right, down = relief.soft
    up: Map = down / np.sqrt(right * right + down * down + 0.15)
    return up


def _across(relief: Relief, lamp: Direction, kind: Kind) -> Map:
    """The lamp is nearer to one side."""
    height, width = relief.mask.shape
    x, y = frame(width, height)
    along = x * np.float32(lamp.x) + y * np.float32(lamp.y)
    nearer: Map = np.exp(np.float32(kind.falloff) * along)
    return nearer


def _shine(slope: tuple[Map, ...], up: Map, lamp: Direction, sharp: float) -> Map:
    """A highlight where the surface mirrors the lamp to the viewer."""
    half = np.array((lamp.x, lamp.y, lamp.z + 1), np.float32)
    half /= np.sqrt((half * half).sum())
    facing = (half[2] - half[0] * slope[0] - half[1] * slope[1]) * up
    shine: Map = np.clip(facing, 0, 1) ** np.float32(sharp)
    return shine


def _pool(relief: Relief, lamp: Direction, kind: Kind) -> Map:
    """A round patch of light with a soft edge, shifted from the subject to the lamp's side."""
    height, width = relief.mask.shape
    x, y = frame(width, height)
    cx, cy = 0.6 * relief.centre[0] + 0.34 * lamp.x, 0.6 * relief.centre[1] + 0.34 * lamp.y
    aspect = width / height
    wide, tall = max(1.0, aspect) ** 0.5, max(1.0, 1 / aspect) ** 0.5
    far = np.sqrt(((x - cx) * wide) ** 2 + ((y - cy) * tall) ** 2) / np.float32(kind.pool)
    pool: Map = np.float32(0.03) + np.float32(1.9) * np.exp(-(far ** np.float32(2.6)))
    return pool


def _openness(relief: Relief) -> Map:
    """Less fill where the surroundings stand higher: in folds, under things."""
    span = max(relief.mask.shape)
    deep = (blur(relief.height, span / 26) - relief.height) * (0.35 + 0.65 * relief.mask)
    return 1 - np.clip(deep * np.float32(0.5), -0.10, 0.35)


def _cast(relief: Relief, lamp: Direction, kind: Kind) -> Map:
    """0 in the open to 1 where something nearer to the lamp stands in its light."""
    height, width = relief.mask.shape
    scale = min(1.0, _SHADOW_SIDE / max(height, width))
    small = max(2, round(width * scale)), max(2, round(height * scale))
    ground = resize(relief.height, *small)
    flat = float(np.hypot(lamp.x, lamp.y))
    reach = 2.6 * relief.tile * scale
    rise = lamp.z / flat / (relief.tile * scale)
    dark = np.zeros_like(ground)
    for k in range(1, _SHADOW_STEPS + 1):
        away = reach * (k / _SHADOW_STEPS) ** 1.4
        seen = _shifted(ground, lamp.x / flat * away, lamp.y / flat * away)
        above = seen - ground - np.float32(away * rise)
        soft = 0.10 + kind.penumbra * away * rise
        np.maximum(dark, np.clip(above / np.float32(soft), 0, 1), out=dark)
    dark = blur(dark * dark * (3 - 2 * dark), 0.8 + 2.5 * kind.penumbra)
    # a subject's guessed bumps are too rough to throw full shadows on the subject itself
    return np.clip(resize(dark, width, height), 0, 1) * (1 - np.float32(0.5) * relief.mask)


def _shifted(field: Map, right: float, down: float) -> Map:
    """field[y + down, x + right], edges repeated, to the nearest pixel."""
    height, width = field.shape
    rows = np.clip(np.arange(height) + round(down), 0, height - 1)
    columns = np.clip(np.arange(width) + round(right), 0, width - 1)
    return field[rows][:, columns]


def _vignette(relief: Relief, style: Style) -> Map:
    height, width = relief.mask.shape
    x, y = frame(width, height)
    far = (x - 0.5 * relief.centre[0]) ** 2 + (y - 0.5 * relief.centre[1]) ** 2
    return 1 / (1 + np.float32(style.intensity.vignette) * far * far)


def _exposure(relief: Relief, style: Style, gain: Map, haze: Map) -> tuple[float, float]:
    """(factor, mean): what brings the image's mean to where intensity and type want it."""
    before = float(relief.bright.mean()) + 1e-4
    after = float((np.minimum(relief.bright * gain, 1.2) + haze).mean()) + 1e-4
    # a night image gains more from a lamp than white paper loses
    lift = style.intensity.lift + (0.35 if before < _GREY else 0.12)
    aim = before ** (1 - lift) * _GREY**lift * style.intensity.exposure * style.kind.exposure
    if style.direction.behind:
        aim *= 0.86
    factor = float(np.clip(aim / after, 0.05, 8.0))
    # a pool of light on something pale would burn out: the brightest twentieth holds the rest back
    lights = float(np.quantile((relief.bright * gain)[::3, ::3], 0.95)) * factor
    return factor * min(1.0, (_BURNT / max(lights, 1e-4)) ** 0.7), aim
