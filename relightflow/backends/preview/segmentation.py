"""Separates an image's subject from its background, and says how sure it is.

GrabCut (Rother, Kolmogorov and Blake 2004): colours of the subject and of the background are modelled
as mixtures of Gaussians, the image is cut where that costs least, and both are repeated. The cut is
the convex one of Chan, Esedoglu and Nikolova (2006), solved by primal-dual steps (Chambolle and Pock
2011), which numpy does well. The start is a frame: what touches its left, right or upper side is
background. Nothing is learned and nothing is recognised.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from relightflow.backends.preview.arrays import Bytes, Map, frame, ramp, step
from relightflow.backends.preview.colour import oklab
from relightflow.backends.preview.regions import closed, filled, grown

_LONGEST = 128
"""Longest side, in pixels, at which the cut is made."""
_COMPONENTS = 5
_ROUNDS = 5
_STEPS = 60
_SMOOTHNESS = 15.0
"""Price of a border between equal pixels, in nats of the colour models."""
_MARGIN = 0.05
"""Share of the width and height on each side that is certainly background."""


@dataclass(frozen=True, slots=True)
class _Segmentation:
    mask: Map
    """(height, width) at a small size; 0 background to 1 subject."""
    confidence: float
    """0: there may be no subject at all; 1: certain."""


@dataclass(frozen=True, slots=True)
class _Mixture:
    """Gaussians over colours: weights (k,), means (k, 3), inverse covariances (k, 3, 3)."""

    weights: Map
    means: Map
    inverses: Map
    norms: Map
    """(k,) log of the normalising factors."""


def segment(rgb: Bytes) -> _Segmentation:
    """The subject of an image (height, width, 3) uint8 sRGB."""
    small = _shrunk(rgb)
    height, width, _ = small.shape
    if min(height, width) < 8:
        return _Segmentation(np.zeros((height, width), np.float32), 0.0)
    lab = oklab(small)
    lab[:, :, 1:] *= 2  # shadows change lightness more than colour
    fixed = _margin(height, width)
    prior = _centre_prior(height, width)
    labels = ~fixed & (prior > 0.5)
    pixels = lab.reshape(-1, 3)
    weights = _edge_weights(lab)
    u = labels.astype(np.float32)
    duals = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    unary: Map = np.zeros((height, width), np.float32)
    for turn in range(_ROUNDS):
        if labels.sum() < 20 or (~labels).sum() < 20:
            return _Segmentation(u * 0, 0.0)
        inside, outside = _fit(pixels[labels.ravel()]), _fit(pixels[~labels.ravel()])
        unary = (_cost(pixels, inside) - _cost(pixels, outside)).reshape(height, width)
        unary = np.clip(unary, -12, 12) - 1.5 * (prior - 0.5) * (turn < _ROUNDS - 1)
        unary[fixed] = 60
        u, duals = _cut(unary.astype(np.float32), weights, u, duals)
        labels = u > 0.5
    confidence = _confidence(u, unary, weights, fixed)
    whole = labels | _holes(labels, max(1, max(height, width) // 24))
    return _Segmentation(np.maximum(u, whole.astype(np.float32)), confidence)


def _holes(labels: NDArray[np.bool_], gap: int) -> NDArray[np.bool_]:
    """What the subject encloses, but for gaps of twice `gap`; a bay that is open stays background."""
    whole = closed(labels, gap)
    inside = filled(whole)
    return grown(inside & ~whole, gap) & inside


def _shrunk(rgb: Bytes) -> Bytes:
    height, width, _ = rgb.shape
    scale = min(1.0, _LONGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(PIL.Image.fromarray(rgb).resize(size, PIL.Image.Resampling.BOX))


def _margin(height: int, width: int) -> NDArray[np.bool_]:
    """What is background for certain; a body may reach the lower edge."""
    fixed = np.zeros((height, width), np.bool_)
    across, down = max(1, round(_MARGIN * width)), max(1, round(_MARGIN * height))
    fixed[:, :across] = fixed[:, -across:] = fixed[:down] = True
    return fixed


def _centre_prior(height: int, width: int) -> Map:
    x, y = frame(width, height)
    return step(1.25, 0.45, np.sqrt((x / 0.85) ** 2 + ((y - 0.08) / 0.95) ** 2))


def _fit(pixels: Map) -> _Mixture:
    """A mixture fitted by hard assignment, from the pixels that lie furthest apart."""
    means = np.empty((_COMPONENTS, 3), np.float32)
    apart = ((pixels - pixels.mean(axis=0)) ** 2).sum(axis=1)
    means[0] = pixels[int(apart.argmin())]
    apart = ((pixels - means[0]) ** 2).sum(axis=1)
    for k in range(1, _COMPONENTS):
        means[k] = pixels[int(apart.argmax())]
        apart = np.minimum(apart, ((pixels - means[k]) ** 2).sum(axis=1))
    for _ in range(4):
        member = _nearest(pixels, means)
        counts = np.bincount(member, minlength=_COMPONENTS)
        for c in range(3):
            sums = np.bincount(member, pixels[:, c], _COMPONENTS)
            means[:, c] = np.where(counts > 0, sums / np.maximum(counts, 1), means[:, c])
    member = _nearest(pixels, means)
    inverses, norms = np.empty((_COMPONENTS, 3, 3)), np.empty(_COMPONENTS)
    counts = np.bincount(member, minlength=_COMPONENTS)
    for k in range(_COMPONENTS):
        own = pixels[member == k]
        spread = np.cov(own.T, bias=True) if len(own) > 4 else np.zeros((3, 3))
        spread = spread + np.eye(3) * 4e-4
        inverses[k] = np.linalg.inv(spread)
        norms[k] = -0.5 * np.linalg.slogdet(spread)[1]
    shares = (counts / counts.sum()).astype(np.float32)
    return _Mixture(shares, means, inverses.astype(np.float32), norms.astype(np.float32))


def _nearest(pixels: Map, means: Map) -> NDArray[np.intp]:
    far = (means * means).sum(axis=1) - 2 * (pixels @ means.T)
    nearest: NDArray[np.intp] = far.argmin(axis=1)
    return nearest


def _cost(pixels: Map, mixture: _Mixture) -> Map:
    """Negative log likelihood of each pixel."""
    total = np.zeros(len(pixels), np.float32)
    for weight, mean, inverse, norm in zip(
        mixture.weights, mixture.means, mixture.inverses, mixture.norms, strict=True
    ):
        if weight == 0:
            continue
        off = pixels - mean
        total += weight * np.exp(norm - 0.5 * ((off @ inverse) * off).sum(axis=1))
    cost: Map = -np.log(total + np.float32(1e-4))
    return cost


def _edge_weights(lab: Map) -> tuple[Map, Map]:
    """What a border costs between a pixel and its right and lower neighbour: little at an edge."""
    right, down = np.zeros(lab.shape[:2], np.float32), np.zeros(lab.shape[:2], np.float32)
    right[:, :-1] = ((lab[:, 1:] - lab[:, :-1]) ** 2).sum(axis=2)
    down[:-1] = ((lab[1:] - lab[:-1]) ** 2).sum(axis=2)
    beta = 1 / (2 * (float(right.mean() + down.mean()) / 2 + 1e-6))
    for field in (right, down):
        np.multiply(np.exp(-beta * field), np.float32(_SMOOTHNESS), out=field)
    right[:, -1], down[-1] = 0, 0
    return right, down


def _cut(
    unary: Map, weights: tuple[Map, Map], u: Map, duals: tuple[Map, Map]
) -> tuple[Map, tuple[Map, Map]]:
    """Minimises the sum of unary × u + weights × |differences of u| over 0 ≤ u ≤ 1."""
    right, down = duals
    ahead = u
    tau, sigma = np.float32(1 / 24), np.float32(3.0)
    for _ in range(_STEPS):
        right[:, :-1] += sigma * (ahead[:, 1:] - ahead[:, :-1])
        down[:-1] += sigma * (ahead[1:] - ahead[:-1])
        np.clip(right, -weights[0], weights[0], out=right)
        np.clip(down, -weights[1], weights[1], out=down)
        flow = right + down
        flow[:, 1:] -= right[:, :-1]
        flow[1:] -= down[:-1]
        before = u
        u = np.clip(u + tau * (flow - unary), 0, 1)
        ahead = 2 * u - before
    return u, (right, down)


def _confidence(u: Map, unary: Map, weights: tuple[Map, Map], fixed: NDArray[np.bool_]) -> float:
    """A product of what a good cut has: colours that agree, a border on edges, a sensible size."""
    labels = u > 0.5
    area = float(labels.mean())
    if area < 0.005:
        return 0.0
    free = ~fixed
    agree = float(np.mean((unary[free] < 0) == labels[free]))
    decided = float(np.mean(np.clip(np.abs(unary[free]), 0, 4) / 4))
    settled = 1 - float(np.mean((u > 0.1) & (u < 0.9))) / area
    cuts = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    prices = np.concatenate([weights[0][:, :-1][cuts[0]], weights[1][:-1][cuts[1]]])
    on_edge = 1 - float(prices.mean()) / _SMOOTHNESS if prices.size else 0.0
    length = prices.size
    touching = np.zeros_like(fixed)
    touching[:, 1:] |= fixed[:, :-1]
    touching[:, :-1] |= fixed[:, 1:]
    touching[1:] |= fixed[:-1]
    # shoulders may reach the lower corners
    upper = (labels & touching & free)[: labels.shape[0] * 3 // 4]
    framed = float(upper.sum()) / max(length, 1)
    ragged = length / float(labels.sum()) ** 0.5
    half = upper.shape[1] // 2
    spans = min(int(upper[:, :half].sum()), int(upper[:, half:].sum())) / upper.shape[0]
    good = (
        ramp(0.75, 0.95, agree)
        * ramp(0.3, 0.7, decided)
        * ramp(0.6, 0.9, settled)
        * ramp(0.45, 0.75, on_edge)
        * ramp(0.22, 0.04, framed)
        * ramp(14, 8, ragged)
        * ramp(0.01, 0.04, area)
        * ramp(0.85, 0.7, area)
        * ramp(0.12, 0.03, spans)
    )
    return ramp(0.25, 0.75, good)
