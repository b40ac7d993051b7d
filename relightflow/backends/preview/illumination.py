"""Where key and fill light fall: smooth fields over a scene, each as strong as the scene is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from relightflow.backends.preview.arrays import Map, blur, frame, resize, step
from relightflow.backends.preview.parameters import Direction, LightSetup, LightType
from relightflow.backends.preview.scene import Scene

_SHADOW_SIDE = 144
_SHADOW_STEPS = 20


@dataclass(frozen=True, slots=True)
class Layer:
    """Light that falls on a layer, as linear gains."""

    key: Map
    fill: Map
    most: Map | None = None
    """Largest gain, contrast included; None: no limit."""


def from_the_front(scene: Scene, setup: LightSetup) -> tuple[Layer, Layer, Map | None]:
    """Light from a side or from above: (behind, before, no haze)."""
    light, type_ = setup.direction, setup.type
    share = min(0.66, type_.fill * setup.intensity.ratio)
    field = _across(scene, light, type_) * np.float32(1 - share)
    if type_.pool:
        field = field * _pool(scene, light, type_)
    guessed = _facing(scene.relief, light, type_.wrap, 0.38)
    behind, before = field * guessed, field
    # never black on its far side: it is round by a guess
    solid = np.float32(0.8 * scene.confidence**2)
    formed: Map = 1 + solid * (_facing(scene.slope, light, type_.wrap, 1.35 - type_.wrap / 3) - 1)
    formed = formed * (1 + (1 - np.float32(0.6) * solid) * (guessed - 1))
    if type_.specular and scene.studio > 0.05:
        strength = np.float32(type_.specular * scene.studio) * solid
        formed = formed + strength * _highlight(scene, light, type_.shininess)
    if scene.studio > 0.05:
        dark = np.float32(0.6 * type_.shadow * scene.studio)
        behind = behind * (1 - dark * _cast_shadow(scene, light, type_))
    before = behind + (field * formed - behind) * np.float32(scene.confidence)
    fill = np.full_like(field, share)
    return Layer(behind, fill), Layer(before, fill), None


def from_behind(scene: Scene, setup: LightSetup) -> tuple[Layer, Layer, Map | None]:
    """A glow behind a darkened foreground, whose edge catches light: (behind, before, haze).

    Nothing before the backdrop becomes brighter than it was, but for that edge; where no backdrop is
    known, nothing does.
    """
    type_ = setup.type
    known = scene.shining
    height, width = scene.bright.shape
    x, y = frame(width, height)
    cx, cy = scene.centre
    reach = np.float32(type_.pool or (1.25 if type_.wrap > 0.3 else 0.95))
    far = np.sqrt(((x - cx) * 0.9) ** 2 + (y - cy + 0.5) ** 2)
    glow = np.exp(-((far / reach) ** 2))
    share = np.float32(min(0.6, type_.fill * setup.intensity.ratio))
    certain = np.float32(scene.backdrop) * (np.float32(0.12) + np.float32(0.88) * scene.surrounded)
    # the subject is darkened where its border is not to be trusted, too, but without a border
    dim = 1 - np.float32(0.45 * scene.confidence) * scene.middle * (1 - scene.surrounded)
    rim = np.float32(1.7 * type_.rim * scene.confidence**2) * certain * _rim(scene)
    behind = Layer(
        (1 - share) * ((1 - known) * (0.26 + 0.46 * glow) * dim + known * (0.44 + 1.15 * glow)),
        share * dim,
        1 + known * np.float32(2.5) * (0.3 + glow),
    )
    before = Layer(
        (1 - share) * ((1 - certain) * (0.26 + 0.46 * glow) * dim + certain * (0.29 + 0.18 * glow))
        + rim,
        behind.fill * (1 - np.float32(0.30) * certain),
        np.float32(0.94) + rim * 2,
    )
    haze = np.float32(0.07 * min(1.0, type_.rim)) * known * glow
    return behind, before, haze if scene.backdrop > 0.05 else None


def _rim(scene: Scene) -> Map:
    """1 where the foreground's edge looks up and stands before something bright; less at its sides,
    nothing below and further in."""
    right, down = scene.slope
    up = down / np.sqrt(right * right + down * down + np.float32(0.1))
    outside = 1 - scene.foreground
    near = blur(outside, 4.0)
    around = blur(outside * scene.bright * scene.shining, 4.0) / (near + np.float32(0.02))
    bright = (0.3 + 0.7 * step(0.03, 0.30, around)) * step(0.01, 0.1, near)
    rim: Map = bright * scene.edge * (1 - scene.inside) ** 2 * np.clip(0.45 + 0.8 * up, 0, 1.2)
    return rim


def _facing(slope: tuple[Map, Map], light: Direction, wrap: float, depth: float) -> Map:
    """Lambert's law with wrap; a surface that faces the viewer gets 1."""
    right, down = (s * np.float32(depth) for s in slope)
    up = 1 / np.sqrt(1 + right * right + down * down)
    facing = (light.z - light.x * right - light.y * down) * up
    key = np.clip((facing + wrap) / (1 + wrap), 0, None)
    key = key * np.float32((1 + wrap) / (light.z + wrap))
    lit: Map = key / (1 + np.float32(0.22) * key) * np.float32(1.22)
    return lit


def _across(scene: Scene, light: Direction, type_: LightType) -> Map:
    """The light is nearer to one side."""
    height, width = scene.bright.shape
    x, y = frame(width, height)
    along = (x - np.float32(0.5 * scene.centre[0])) * np.float32(light.x)
    along = along + (y - np.float32(0.5 * scene.centre[1])) * np.float32(light.y)
    # steepest over the middle, where the subject is; level towards the edges, which would burn out
    bent = np.tanh(np.float32(1.4) * along) * np.float32(1 / np.tanh(1.4))
    # white paper must not turn grey over half of the image
    strength = np.float32(type_.falloff * (1 - 0.65 * scene.white)) * _shallow(scene, 0.35)
    nearer: Map = np.exp2(strength * bent)
    return nearer


def _highlight(scene: Scene, light: Direction, shininess: float) -> Map:
    """Where the surface mirrors the light to the viewer (Blinn 1977)."""
    half = np.array((light.x, light.y, light.z + 1), np.float32)
    half /= np.sqrt((half * half).sum())
    right, down = scene.slope
    up = 1 / np.sqrt(1 + right * right + down * down)
    facing = (half[2] - half[0] * right - half[1] * down) * up
    shine: Map = np.clip(facing, 0, 1) ** np.float32(shininess)
    return shine


def _pool(scene: Scene, light: Direction, type_: LightType) -> Map:
    """A round patch of light with a soft edge, shifted from the subject to the light's side."""
    height, width = scene.bright.shape
    x, y = frame(width, height)
    cx, cy = 0.6 * scene.centre[0] + 0.32 * light.x, 0.6 * scene.centre[1] + 0.32 * light.y
    aspect = width / height
    wide, tall = max(1.0, aspect) ** 0.5, max(1.0, 1 / aspect) ** 0.5
    far = (((x - cx) * wide) ** 2 + ((y - cy) * tall) ** 2) / np.float32(type_.pool**2)
    # a bell: anything with a steeper flank shows as a disc on a sky or on paper
    pool = np.float32(0.07 + 0.13 * scene.white) + np.float32(1.9) * np.exp(-far)
    soft: Map = pool ** _shallow(scene, 0.5)
    return soft


def _shallow(scene: Scene, share: float) -> Map:
    """How much of a light's fall-off shows: a sky that turns dark looks like smoke."""
    exponent: Map = 1 - np.float32(share) * scene.plain
    return exponent


def _cast_shadow(scene: Scene, light: Direction, type_: LightType) -> Map:
    """0 in the open to 1 where something nearer to the light stands in its way."""
    height, width = scene.height.shape
    scale = min(1.0, _SHADOW_SIDE / max(height, width))
    small = max(2, round(width * scale)), max(2, round(height * scale))
    ground = resize(scene.height, *small)
    flat = float(np.hypot(light.x, light.y))
    reach = 2.6 * scene.unit * scale
    rise = light.z / flat / (scene.unit * scale)
    dark = np.zeros_like(ground)
    for k in range(1, _SHADOW_STEPS + 1):
        away = reach * (k / _SHADOW_STEPS) ** 1.4
        seen = _shifted(ground, light.x / flat * away, light.y / flat * away)
        above = seen - ground - np.float32(away * rise)
        soft = 0.10 + type_.penumbra * away * rise
        np.maximum(dark, np.clip(above / np.float32(soft), 0, 1), out=dark)
    dark = blur(dark * dark * (3 - 2 * dark), 2.0 + 2.5 * type_.penumbra)
    return np.clip(resize(dark, width, height), 0, 1)


def _shifted(field: Map, right: float, down: float) -> Map:
    """field[y + down, x + right], edges repeated, to the nearest pixel."""
    height, width = field.shape
    rows = np.clip(np.arange(height) + round(down), 0, height - 1)
    columns = np.clip(np.arange(width) + round(right), 0, width - 1)
    return field[rows][:, columns]
