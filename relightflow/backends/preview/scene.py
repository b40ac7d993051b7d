"""What the preview knows of an image before any light is chosen: its subject, its sky, its surface.

Every part bears a confidence, and what is uncertain is left out by the shading: an image without a
clear subject is lit by smooth fields and fine texture alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from relightflow.backends.preview import forms
from relightflow.backends.preview.arrays import Bytes, Map, blur, frame, ramp, resize, step
from relightflow.backends.preview.colour import linear, luminance, oklab
from relightflow.backends.preview.matte import SoftMask, matte, without_holes
from relightflow.backends.preview.segmentation import segment
from relightflow.backends.preview.sky import find_sky
from relightflow.images import Pixels, flatten

MAP_PIXELS = 40_000
"""Pixels of the maps that light is computed on. Light is smooth; edges come from the full size."""
_MAP_SIDE = 900
"""Pixels of their longer side at most: reached by strips of 20 to 1, which are squeezed. Blurs reach as
far as a part of the longer side, so a strip of few pixels would take as much as a large image."""
_MONOCHROME = 0.012
"""Mean Oklab chroma below which an image is black-and-white."""
_TONED = 0.40
"""Share of a light's colour that a black-and-white image takes."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What is kept at the image's own size: (height, width) unless said otherwise."""

    planes: Bytes
    """(3, height, width): red, green and blue."""
    luma: Bytes
    """Brightness as it is coded, 0 to 255."""
    subject: Bytes
    """0 background to 255 subject, with soft edges that follow the image's."""
    foreground: Bytes
    """The same for what stands before the backdrop: the subject, or all that is no sky."""
    texture: tuple[NDArray[np.int8], NDArray[np.int8]]
    """Slope of the fine texture to the right and down; 127 is the steepest."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Maps are (height, width) float32 of at most about `MAP_PIXELS`, unless said otherwise."""

    surface: Surface
    bright: Map
    """Linear luminance."""
    weight: Map
    """How much each point counts for the exposure: its opacity."""
    subject: Map
    foreground: Map
    inside: Map
    """0 at the foreground's border and outside, 1 a little further in."""
    edge: Map
    """1 where the foreground's border lies on an edge of the image."""
    height: Map
    """How far the subject stands out; 1 is about a twelfth of the longer side."""
    slope: tuple[Map, Map]
    """Slopes to the right and down of the subject's large forms."""
    relief: tuple[Map, Map]
    """The same for forms that are only guessed from brightness, where the image is in focus."""
    shining: Map
    """1 where what is behind the foreground can be a light: it is known, has one of the image's outer
    colours and shows no texture, as a sky, a studio or a blurred background."""
    surrounded: Map
    """How much of what is behind can be a light, in a wide neighbourhood."""
    middle: Map
    """The subject without a border: 1 in its midst."""
    skin: Map
    """0 to 1: colours that skin has."""
    level: Map
    """Gain that takes out a part of the light that falls from one side already."""
    plain: Map
    """1 in the midst of something without texture that is not dark: a sky, paper."""
    dark: Map
    """1 where the image is dark all around."""
    centre: tuple[float, float]
    """Of the subject, -1 to 1; the middle where there is none."""
    confidence: float
    """That there is a subject, and that its mask is right."""
    studio: float
    """That the subject stands before an even background."""
    backdrop: float
    """That what is behind the foreground is known."""
    white: float
    """That much of the image is white or nearly so: 0 to 1."""
    chroma: float
    """Share of a light's colour that shows: less in a black-and-white image."""
    unit: float
    """Map pixels in one unit of `height`."""


def estimate(pixels: Pixels) -> Scene:
    """The scene of an image; where it is transparent in part, what is opaque is its subject."""
    rgb = flatten(pixels)
    small = _shrunk(rgb, MAP_PIXELS)
    height, width, _ = small.shape
    lab, bright = oklab(small), luminance(linear(small))
    cut = None
    if pixels.alpha is not None and pixels.alpha.min() < 128:
        cut = resize(pixels.alpha.astype(np.float32) / 255, width, height)
    tone, from_outer = np.ascontiguousarray(lab[:, :, 0]), _from_outer(lab)
    focus = forms.focus(tone)
    subject, confidence, studio = _subject(rgb, lab, cut)
    if cut is None:
        subject = subject.apart_from(step(0.035, 0.015, from_outer) * (1 - focus))
    before, found = (subject, 0.0) if cut is not None else _before_sky(lab)
    by_sky = found > max(studio, 0.3)
    before = before if by_sky else subject
    weight = np.ones_like(bright) if cut is None else cut + np.float32(1e-3)
    span = max(height, width)
    round_ = forms.rounded(subject.softened)
    slope = forms.slope(blur(round_, span / 26) * np.float32(span / 6), 1.1)
    firm = blur(subject.support, span / 30)  # where the border is a guess, so is the form
    backdrop = found if by_sky else confidence
    shining = np.float32(backdrop) * _smooth(lab, from_outer, before.softened) ** 2
    surrounded = _surrounded(shining, before.softened)
    return Scene(
        surface=_surface(pixels, subject, before, cut is not None),
        bright=bright,
        weight=weight,
        subject=subject.softened,
        foreground=before.softened,
        inside=step(0.5, 1.0, blur(before.mask, span / 75)),
        edge=before.support,
        height=round_,
        slope=(slope[0] * firm, slope[1] * firm),
        relief=forms.relief(tone, focus),
        shining=shining * step(0.15, 0.45, surrounded),
        surrounded=surrounded,
        middle=np.clip(blur(subject.softened, span / 9) * np.float32(1.3), 0, 1),
        skin=_skin(lab),
        level=_level(bright, 0.25 + subject.softened * np.float32(confidence)),
        plain=np.clip(blur((1 - focus) * step(0.04, 0.20, bright), span / 12), 0, 1),
        dark=step(0.045, 0.002, blur(bright, span / 25)),
        centre=_centre(subject.softened, confidence),
        confidence=confidence,
        studio=studio,
        backdrop=backdrop,
        white=ramp(0.06, 0.45, float(((bright > 0.7) * weight).sum() / weight.sum())),
        chroma=_chroma(lab),
        unit=span / 12,
    )


def _shrunk(rgb: Bytes, pixels: int) -> Bytes:
    height, width, _ = rgb.shape
    scale = min(1.0, (pixels / (width * height)) ** 0.5)
    size = tuple(min(_MAP_SIDE, max(1, round(side * scale))) for side in (width, height))
    if size == (width, height):
        return rgb
    return np.asarray(PIL.Image.fromarray(rgb).resize(size, PIL.Image.Resampling.BOX))


def _subject(rgb: Bytes, lab: Map, cut: Map | None) -> tuple[SoftMask, float, float]:
    """(mask, confidence, studio); transparency knows better than any guess."""
    if cut is not None:
        whole = np.ones_like(cut)
        return SoftMask(cut, whole, cut, cut, 1.0), 1.0, 1.0
    height, width, _ = lab.shape
    found = segment(rgb)
    mask = without_holes(np.clip(resize(found.mask, width, height), 0, 1))
    border = SoftMask.of(mask, lab)
    confidence = found.confidence * _settled(border)
    return border, confidence, confidence * _evenness(lab, mask)


def _before_sky(lab: Map) -> tuple[SoftMask, float]:
    """(what stands before the sky, confidence)."""
    sky, confidence = find_sky(lab)
    border = SoftMask.of(1 - sky, lab)
    return border, confidence * _settled(border)


def _settled(border: SoftMask) -> float:
    """0 for a border that crosses something smooth: there is no thing that ends there."""
    return ramp(0.3, 0.7, border.supported)


def _evenness(lab: Map, mask: Map) -> float:
    """1 where the background is one smooth surface, as in a studio; 0 where it shows things."""
    height, width, _ = lab.shape
    x, y = (axis.ravel()[::3].astype(np.float64) for axis in frame(width, height))
    weight = (mask.ravel()[::3] < 0.1).astype(np.float64)[:, None]
    if weight.mean() < 0.1:
        return 0.0
    basis = np.stack((np.ones_like(x), x, y, x * x, y * y, x * y), axis=1) * weight
    values = lab.reshape(-1, 3)[::3].astype(np.float64) * weight
    found, *_ = np.linalg.lstsq(basis, values, rcond=None)
    off = np.sqrt(((basis @ found - values) ** 2).sum() / weight.sum())
    return float(np.clip((0.085 - off) / 0.05, 0, 1))


def _surface(pixels: Pixels, subject: SoftMask, foreground: SoftMask, transparent: bool) -> Surface:
    luma = np.asarray(PIL.Image.fromarray(pixels.rgb).convert("L"))
    cut = pixels.alpha if transparent else None
    full = matte(luma, subject) if cut is None else cut
    return Surface(
        planes=np.ascontiguousarray(pixels.rgb.transpose(2, 0, 1)),
        luma=luma,
        subject=full,
        foreground=full if foreground is subject else matte(luma, foreground),
        texture=forms.texture(luma),
    )


def _from_outer(lab: Map) -> Map:
    """How far a colour is from the nearest at the image's upper, left or right border."""
    height, width, _ = lab.shape
    sides = lab[: max(1, height * 3 // 4)]
    outer = np.concatenate([lab[height // 50], sides[:, width // 50], sides[:, -1 - width // 50]])
    outer = outer[:: max(1, len(outer) // 96)] * np.array([0.6, 1.5, 1.5], np.float32)
    small = lab[::2, ::2] * np.array([0.6, 1.5, 1.5], np.float32)
    nearest = np.full(small.shape[:2], 1e3, np.float32)
    for colour in outer:
        np.minimum(nearest, ((small - colour) ** 2).sum(axis=2), out=nearest)
    return np.maximum(resize(np.sqrt(nearest), width, height), 0)


def _smooth(lab: Map, from_outer: Map, foreground: Map) -> Map:
    """What can be a light behind. Hair or a cup's inside, which a mask has left out, cannot."""
    outside, tiny = 1 - foreground, np.float32(1e-3)
    known = (blur(step(0.11, 0.05, from_outer) * outside, 1.5) + tiny) / (blur(outside, 1.5) + tiny)
    out_of_focus = 1 - forms.focus(np.ascontiguousarray(lab[:, :, 0]), outside)
    smooth: Map = np.clip(known, 0, 1) * out_of_focus
    return smooth


def _surrounded(shining: Map, foreground: Map) -> Map:
    outside, reach, tiny = 1 - foreground, max(shining.shape) / 6, np.float32(1e-3)
    share = (blur(shining * outside, reach) + tiny) / (blur(outside, reach) + tiny)
    return np.clip(share, 0, 1)


def _skin(lab: Map) -> Map:
    """Between red and yellow, neither grey nor vivid, not dark: skin of any tone, and wood."""
    lightness, a, b = np.moveaxis(lab, 2, 0)
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a))
    like = step(10, 28, hue) * step(88, 70, hue) * step(0.015, 0.035, chroma)
    return blur(like * step(0.2, 0.14, chroma) * step(0.2, 0.35, lightness), 1.2)


def _level(bright: Map, weight: Map) -> Map:
    """A third of the slope of brightness from side to side, turned round; less from top to foot,
    where it is more often the scene's own. Points count by `weight`."""
    height, width = bright.shape
    tone = np.log2(bright + np.float32(0.02))
    weight = weight / weight.sum()
    x, y = frame(width, height)
    slopes = []
    for axis in (x, y):
        off = axis - float((axis * weight).sum())
        spread = float((off * off * weight).sum())
        slopes.append(float((tone * off * weight).sum()) / (spread + 1e-3))
    across, down = (float(s) for s in np.clip(slopes, -1.5, 1.5))
    level: Map = np.exp2(-0.33 * across * x - 0.15 * down * y).astype(np.float32)
    return level


def _centre(mask: Map, confidence: float) -> tuple[float, float]:
    height, width = mask.shape
    x, y = frame(width, height)
    total = float(mask.sum()) + 1e-3 * mask.size
    share = min(1.0, 1.5 * confidence) / total
    return share * float((mask * x).sum()), share * float((mask * y).sum())


def _chroma(lab: Map) -> float:
    mean = float(np.hypot(lab[:, :, 1], lab[:, :, 2]).mean())
    return _TONED + (1 - _TONED) * float(np.clip(mean / _MONOCHROME - 1, 0, 1))
