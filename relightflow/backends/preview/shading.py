"""Lights a scene: how much each point gains, as small smooth maps and a tone curve.

Two layers are lit apart, what is behind and what is before it; the full-size matte lays one over the
other, so that no map needs an edge. An effect is as strong as the confidence in what it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from relightflow.backends.preview.arrays import Bytes, Map, frame, ramp, roll_off, step
from relightflow.backends.preview.colour import black_body, luminance
from relightflow.backends.preview.illumination import Layer, from_behind, from_the_front
from relightflow.backends.preview.parameters import LightSetup
from relightflow.backends.preview.scene import Scene

_GAMMA = 2.2
"""Gains are of coded brightness: the power 1 / 2.2 of those of light, as nearly as sRGB."""
_ROOT = np.float32(1 / _GAMMA)
_GREY = 0.20
"""Linear light towards which the exposure pulls."""
_BRIGHTEST = 0.94
"""Mean linear light that no exposure passes."""
_SKIN_SHARE = 0.55
"""Share of a light's colour that skin does not take."""
_KEPT = 6
"""Lights whose white part is kept: the innermost axis has four values, and several threads ask."""


@dataclass(frozen=True, slots=True)
class Shading:
    """relit = (coded image + (colour - 1) × colour_taken[luma]) × gain × tone[luma] + haze × haze_colour,
    before what is bright rolls off."""

    matte: Bytes
    """(height, width) at full size: which of the two layers a pixel belongs to."""
    behind: Map
    """Gain of the layer behind."""
    before: Map
    """Gain of the layer before it."""
    tone: Map
    """(256,) gain by coded brightness."""
    texture: tuple[float, float]
    """Weight of the surface's slope to the right and down."""
    colour: Map | None
    """(3, height, width) gains of red, green and blue; None: white light."""
    colour_taken: Map
    """(256,) what the light's colour is laid on, 0 to 255, by coded brightness: the brightness itself,
    less where it is white or black."""
    haze: Map | None
    """Added behind only."""
    haze_colour: Map
    ceilings: tuple[Map, Map] | None
    """Largest gain, tone included, of the two layers; None: no limit."""


@dataclass(frozen=True, slots=True)
class _White:
    """What the light's colour does not change."""

    gains: tuple[Map, Map]
    """Coded, behind and before."""
    tone: Map
    lit: Map
    """Share of the key light."""
    haze: Map | None
    ceilings: tuple[Map, Map] | None


class Shader:
    """Lights one scene. What the colour of the light does not change is kept for the next colours, which
    come soon: a matrix has all of them for each direction, intensity and type. May be called in several
    threads."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._kept: dict[LightSetup, _White] = {}

    def shade(self, setup: LightSetup) -> Shading:
        """The light of `setup`, exposed so that the whole is as bright as it should be."""
        scene, back = self._scene, setup.direction.behind
        white = self._white(setup)
        return Shading(
            matte=scene.surface.foreground if back else scene.surface.subject,
            behind=white.gains[0],
            before=white.gains[1],
            tone=white.tone,
            texture=_texture(setup),
            colour=_colour(scene, setup, white.lit),
            colour_taken=_colour_taken(scene.chroma < 1),
            haze=white.haze,
            haze_colour=_key_colour(setup, 0.6 * scene.chroma) ** _ROOT,
            ceilings=white.ceilings,
        )

    def _white(self, setup: LightSetup) -> _White:
        colourless = setup.colourless
        found = self._kept.get(colourless)
        if found is None:
            found = self._kept[colourless] = _white(self._scene, colourless)
            for old in list(self._kept)[:-_KEPT]:
                self._kept.pop(old, None)
        return found


def shade(scene: Scene, setup: LightSetup) -> Shading:
    """The light of `setup` on `scene`, once."""
    return Shader(scene).shade(setup)


def _white(scene: Scene, setup: LightSetup) -> _White:
    back = setup.direction.behind
    behind, before, haze = (from_behind if back else from_the_front)(scene, setup)
    over = scene.foreground if back else scene.subject
    dim = scene.level * _vignette(scene, setup)
    gains = [(layer.key + layer.fill) * dim for layer in (behind, before)]
    tone = _tone(scene, setup)
    if back:
        tone = tone * _shining(1 - scene.backdrop)
    # from behind, what is dark stays dark: nothing pulls the mean back to where it was
    exposure = setup.intensity.exposure * setup.type.exposure
    if not back:
        exposure = _exposure(scene, exposure, setup.intensity.lift, _laid(gains, over), tone)
        tone = tone * _toe(scene, exposure)
    most = np.float32(1.2) * np.float32(max(1.0, setup.intensity.exposure)) ** _ROOT
    coded = [
        _bounded(scene, np.maximum(gain * np.float32(exposure), 1e-4) ** _ROOT, most)
        for gain in gains
    ]
    key, fill = _laid([behind.key, before.key], over), _laid([behind.fill, before.fill], over)
    return _White(
        gains=(coded[0], coded[1]),
        tone=tone,
        lit=key / (key + fill + np.float32(1e-4)),
        haze=haze,
        ceilings=_ceilings((behind, before), coded, float(tone.max())),
    )


def _laid(fields: Sequence[Map], over: Map) -> Map:
    laid: Map = fields[0] + (fields[1] - fields[0]) * over
    return laid


def _ceilings(
    layers: tuple[Layer, Layer], coded: Sequence[Map], contrast: float
) -> tuple[Map, Map] | None:
    """The largest coded gains, where any gain comes near them."""
    behind, before = (layer.most for layer in layers)
    if behind is None or before is None:
        return None
    limits = behind**_ROOT, before**_ROOT
    if all((gain * contrast <= limit).all() for gain, limit in zip(coded, limits, strict=True)):
        return None
    return limits


def _texture(setup: LightSetup) -> tuple[float, float]:
    if setup.direction.behind:
        return 0.0, 0.12 * setup.type.texture
    weight = -setup.type.texture
    return weight * setup.direction.x, weight * setup.direction.y


def _vignette(scene: Scene, setup: LightSetup) -> Map:
    height, width = scene.bright.shape
    x, y = frame(width, height)
    far = (x - 0.5 * scene.centre[0]) ** 2 + (y - 0.5 * scene.centre[1]) ** 2
    dimmed: Map = 1 / (1 + np.float32(setup.intensity.vignette) * far * far)
    return dimmed


def _tone(scene: Scene, setup: LightSetup) -> Map:
    """Contrast about the image's mean, as a gain by coded brightness."""
    contrast = setup.type.contrast * setup.intensity.contrast
    if setup.direction.behind:
        contrast = contrast + 0.15
    pivot = _pivot(scene)
    code = np.maximum(np.arange(256, dtype=np.float32) / 255, np.float32(0.01))
    bend = np.float32(contrast - 1) * np.log(code / np.float32(pivot))
    if contrast < 1:
        bend = bend * _above_black(code, pivot)
    most = np.where(bend > 0, np.float32(0.30), np.float32(0.36))
    tone: Map = np.exp(most * np.tanh(bend / most)).astype(np.float32)
    return tone


def _shining(unknown: float) -> Map:
    """(256,) where no backdrop is known, what is bright keeps its brightness: it may be a light."""
    code = np.arange(256, dtype=np.float32) / 255
    shining: Map = 1 + np.float32(0.22 * unknown) * step(0.60, 0.95, code)
    return shining


def _pivot(scene: Scene) -> float:
    """The image's mean brightness, coded."""
    mean = float((scene.bright * scene.weight).sum() / scene.weight.sum())
    pivot: float = min(max(mean, 0.02), 0.7) ** (1 / _GAMMA)
    return pivot


def _above_black(code: Map, pivot: float) -> Map:
    """0 at black, 1 above the image's dark tones: black stays black when more light falls on it."""
    return step(0.0, min(0.30, 0.8 * pivot), code)


def _toe(scene: Scene, exposure: float) -> Map:
    """(256,) takes most of a higher exposure back where the image is black."""
    code = np.arange(256, dtype=np.float32) / 255
    extra = np.float32(-0.7 * np.log(max(1.0, exposure)) / _GAMMA)
    toe: Map = np.exp(extra * (1 - _above_black(code, _pivot(scene)))).astype(np.float32)
    return toe


def _bounded(scene: Scene, gain: Map, most: np.float32) -> Map:
    """A coded gain that is seldom above `most` where the image is dark all around: noise and the steps of a JPEG
    would show."""
    over = np.maximum(gain - most, 0)
    bounded: Map = gain - over * np.float32(0.8) * scene.dark
    return bounded


def _exposure(scene: Scene, factor: float, lift: float, gain: Map, tone: Map) -> float:
    """What `gain` is multiplied with, so that the image's mean becomes `factor` times what it was,
    pulled towards middle grey by the share `lift`."""
    part = (slice(None, None, 2), slice(None, None, 2))
    light, weight = scene.bright[part], scene.weight[part]
    weight = weight / weight.sum()
    before = float((light * weight).sum()) + 1e-4
    # a night gains more from a light than white paper loses
    lift += 0.30 if before < _GREY else 0.06
    aim = before ** (1 - lift) * _GREY**lift * factor
    # what is nearly white has no room above it: its light must still come from one side
    aim = aim / (1 + (aim / _BRIGHTEST) ** 4) ** 0.25
    code = light**_ROOT
    bent = code * gain[part] ** _ROOT * tone[np.minimum(code * 255, 255).astype(np.uint8)]
    exposure = 1.0
    for _ in range(4):
        after = roll_off(code, bent * np.float32(exposure**_ROOT)) ** np.float32(_GAMMA)
        mean = float((after * weight).sum()) + 1e-4
        exposure = min(max(exposure * (aim / mean) ** 1.1, 0.1), 4.0)
    return _unburnt(exposure, code, gain[part], weight, factor)


def _unburnt(exposure: float, code: Map, gain: Map, weight: Map, factor: float) -> float:
    """An exposure for what is bright already, if that is much of the image: where all of it is pressed
    towards white, the side that the light comes from cannot be seen, but the border of a spotlight can."""
    for low, high, most in ((0.45, 0.75, 1.45), (0.72, 0.92, 1.04)):
        bright = weight * step(low, high, code)
        share = float(bright.sum())
        if share > 0.02:
            # close to the largest gain there, and smooth
            peak = (float((bright * gain**4).sum()) / share) ** 0.25
            most = min(exposure, most * factor**0.8 / peak)
            exposure = float(exposure * (most / exposure) ** ramp(0.02, 0.15, share))
    return exposure


def _key_colour(setup: LightSetup, strength: float) -> Map:
    warmth = setup.temperature
    colour: Map = black_body(warmth.key, warmth.key_strength * strength)
    colour = colour * np.array(warmth.key_tint, np.float32) ** np.float32(strength)
    return colour / luminance(colour)


def _colour(scene: Scene, setup: LightSetup, lit: Map) -> Map | None:
    """(3, height, width): the colour of key and fill where each falls; less of it on skin."""
    warmth, type_ = setup.temperature, setup.type
    if not warmth.key_strength and not warmth.fill_strength:
        return None
    key_colour = _key_colour(setup, 1.0)
    tint = np.array(warmth.tint, np.float32)
    fill_colour: Map = black_body(warmth.fill, warmth.fill_strength) * tint
    # where light comes from everywhere, it is the key light's own that comes back from the walls
    fill_colour = fill_colour ** np.float32(1 - type_.fill) * key_colour ** np.float32(type_.fill)
    fill_colour = fill_colour / luminance(fill_colour)
    kept = np.float32(scene.chroma / _GAMMA) * (1 - np.float32(_SKIN_SHARE) * scene.skin)
    out = np.empty((3, *lit.shape), np.float32)
    for c in range(3):
        mixed = fill_colour[c] + (key_colour[c] - fill_colour[c]) * lit
        np.exp(np.log(mixed) * kept, out=out[c])
    return out


@cache
def _colour_taken(monochrome: bool) -> Map:
    """What the light's colour is laid on, by brightness: white, which may be clipped, takes less of it, and
    so does black. A black-and-white image takes it as a print takes a toner: in its middle tones."""
    code = np.arange(256, dtype=np.float32)[None] / 255
    share: Map = 1 - 0.75 * step(0.82, 1.0, code)
    share = share * (step(-0.05, 0.30, code) if monochrome else step(-0.45, 0.25, code))
    first: Map = (255 * share * code)[0].astype(np.float32)
    return first
