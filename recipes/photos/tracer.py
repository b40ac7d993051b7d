"""A small ray marcher over signed distances, in numpy: enough for images of things on tables.

Points and directions are float32 arrays of shape (3, n), lengths are in scene units, colours are
linear sRGB. A scene is a list of `Thing`; everything random is seeded, so an image is reproducible
on one machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

Array = np.ndarray
Field = Callable[[Array], Array]

FAR = 24.0
CHUNK = 48_000


@dataclass(frozen=True)
class Look:
    """What a surface is made of, at n points."""

    colour: Array
    """(3, n)"""
    gloss: float = 0.0
    """0 matt to 1 mirror: how much of the surroundings it shows head-on."""
    sharp: float = 60.0
    """Exponent of the highlight."""
    metal: bool = False
    bump: Array | None = None
    """(3, n), added to the normal."""
    glow: float = 0.0
    """Light that shines through: skin, wax, fruit."""


@dataclass(frozen=True)
class Thing:
    shape: Field
    """(3, n) → distance (n,)"""
    look: Callable[[Array], Look]
    """(3, n) points of its surface → Look"""


@dataclass(frozen=True)
class Lamp:
    towards: tuple[float, float, float]
    colour: tuple[float, float, float]
    size: float
    """Softness of its shadow: the tangent of half its apparent angle; 0: throws none."""


@dataclass(frozen=True)
class Scene:
    things: Sequence[Thing]
    lamps: Sequence[Lamp]
    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    zoom: float
    """Focal length over half the image's height."""
    sky: tuple[float, float, float] = (0.62, 0.64, 0.68)
    ground: tuple[float, float, float] = (0.24, 0.22, 0.20)
    panels: Sequence[tuple[float, float, float]] = field(default=((-0.7, 0.6, 0.5),))
    """Directions of the bright soft boxes that shiny surfaces mirror."""


def vec(*xyz: float) -> Array:
    return np.array(xyz, np.float32)[:, None]


def unit(v: Array) -> Array:
    return v / np.maximum(np.sqrt((v * v).sum(0)), 1e-9)


def length(*parts: Array) -> Array:
    return np.sqrt(sum(part * part for part in parts))


def smooth_min(a: Array, b: Array, k: float) -> Array:
    """Union with a fillet of radius about k."""
    h = np.maximum(k - np.abs(a - b), 0) / k
    return np.minimum(a, b) - h * h * (k / 4)


def smooth_max(a: Array, b: Array, k: float) -> Array:
    return -smooth_min(-a, -b, k)


def sphere(p: Array, centre: Sequence[float], radius: float) -> Array:
    return length(p[0] - centre[0], p[1] - centre[1], p[2] - centre[2]) - radius


def ellipsoid(p: Array, centre: Sequence[float], radii: Sequence[float]) -> Array:
    """A bound of the distance, exact enough near the surface."""
    q = (p - vec(*centre)) / vec(*radii)
    k0 = np.sqrt((q * q).sum(0))
    k1 = np.sqrt(((q / vec(*radii)) ** 2).sum(0))
    return k0 * (k0 - 1) / np.maximum(k1, 1e-6)


def capsule(p: Array, a: Sequence[float], b: Sequence[float], ra: float, rb: float) -> Array:
    """A line from a to b, ra thick at a and rb at b."""
    pa, ba = p - vec(*a), vec(*b) - vec(*a)
    h = np.clip((pa * ba).sum(0) / (ba * ba).sum(), 0, 1)
    d = pa - ba * h
    return np.sqrt((d * d).sum(0)) - (ra + (rb - ra) * h)


def box(p: Array, centre: Sequence[float], half: Sequence[float], round_: float) -> Array:
    q = np.abs(p - vec(*centre)) - vec(*half) + round_
    outside = np.sqrt((np.maximum(q, 0) ** 2).sum(0))
    return outside + np.minimum(q.max(0), 0) - round_


def cylinder(p: Array, centre: Sequence[float], radius: float, half: float, round_: float) -> Array:
    dx = length(p[0] - centre[0], p[2] - centre[2]) - radius + round_
    dy = np.abs(p[1] - centre[1]) - half + round_
    outside = length(np.maximum(dx, 0), np.maximum(dy, 0))
    return outside + np.minimum(np.maximum(dx, dy), 0) - round_


def turn(p: Array, degrees: float, axis: int = 1) -> Array:
    """`p` in a frame that is turned about x (0), y (1) or z (2)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = ((1, 2), (2, 0), (0, 1))[axis]
    out = p.copy()
    out[i], out[j] = c * p[i] + s * p[j], c * p[j] - s * p[i]
    return out


def _hash(i: Array, j: Array, k: Array) -> Array:
    n = i * 374761393 + j * 668265263 + k * 1440662683
    n = (n ^ (n >> 13)) * 1274126177
    return ((n ^ (n >> 16)) & 0xFFFF).astype(np.float32) / 65535


def noise(p: Array, scale: float | tuple[float, float, float]) -> Array:
    """Smooth value noise, 0 to 1."""
    q = p * (vec(*scale) if isinstance(scale, tuple) else np.float32(scale))
    base = np.floor(q)
    f = q - base
    f = f * f * (3 - 2 * f)
    i, j, k = base.astype(np.int64)
    out = np.zeros(p.shape[1], np.float32)
    for a in (0, 1):
        for b in (0, 1):
            for c in (0, 1):
                weight = (f[0] if a else 1 - f[0]) * (f[1] if b else 1 - f[1])
                out += weight * (f[2] if c else 1 - f[2]) * _hash(i + a, j + b, k + c)
    return out


def clouds(p: Array, scale: float, octaves: int = 4) -> Array:
    """Several sizes of noise at once, about 0 to 1."""
    total = sum(noise(p + 7.3 * o, scale * 2.03**o) / 2**o for o in range(octaves))
    return total / sum(2.0**-o for o in range(octaves))


def blend(a: Sequence[float], b: Sequence[float], share: Array) -> Array:
    """(3, n): colour a where share is 0, b where it is 1."""
    share = np.clip(share, 0, 1)
    return vec(*a) * (1 - share) + vec(*b) * share


def step(low: float, high: float, x: Array) -> Array:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def nearest(scene: Scene, p: Array) -> Array:
    d = scene.things[0].shape(p)
    for thing in scene.things[1:]:
        d = np.minimum(d, thing.shape(p))
    return d


def march(scene: Scene, origin: Array, ray: Array, steps: int = 110) -> Array:
    """Distance along each ray to the first surface; infinite where there is none."""
    n = ray.shape[1]
    t = np.full(n, 0.02, np.float32)
    hit = np.full(n, np.inf, np.float32)
    alive = np.arange(n)
    for _ in range(steps):
        d = nearest(scene, origin[:, alive] + ray[:, alive] * t[alive])
        close = d < 0.0006 * (1 + t[alive])
        hit[alive[close]] = t[alive[close]]
        t[alive] += 0.9 * d
        alive = alive[~close & (t[alive] < FAR)]
        if not alive.size:
            break
    return hit


def normal(scene: Scene, p: Array) -> Array:
    e = np.float32(0.0012)
    out = np.zeros_like(p)
    for k in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        out += vec(*k) * nearest(scene, p + e * vec(*k))
    return unit(out)


def shadow(scene: Scene, p: Array, lamp: Lamp, steps: int = 36) -> Array:
    """1 in the open, 0 in full shadow, with a penumbra as wide as the lamp."""
    ray = unit(vec(*lamp.towards))
    n = p.shape[1]
    t = np.full(n, 0.03, np.float32)
    lit = np.ones(n, np.float32)
    alive = np.arange(n)
    for _ in range(steps):
        d = nearest(scene, p[:, alive] + ray * t[alive])
        lit[alive] = np.minimum(lit[alive], d / (lamp.size * t[alive]))
        t[alive] += np.clip(d, 0.02, 0.35)
        alive = alive[(lit[alive] > -1) & (t[alive] < 7)]
        if not alive.size:
            break
    lit = np.clip(lit, -1, 1)
    return 0.25 * (1 + lit) ** 2 * (2 - lit)


def openness(scene: Scene, p: Array, n: Array) -> Array:
    """How much of the sky a point sees: 1 on a plain, towards 0 in a crack."""
    hidden = np.zeros(p.shape[1], np.float32)
    for i, reach in enumerate((0.03, 0.09, 0.2, 0.42, 0.8)):
        hidden += (reach - nearest(scene, p + n * np.float32(reach))) * (0.62**i) / reach**0.55
    return np.clip(1 - 0.85 * hidden, 0.03, 1)


def surroundings(scene: Scene, ray: Array, sharp: float = 60.0) -> Array:
    """What a mirror sees where nothing stands: a room with soft boxes."""
    out = blend(scene.ground, scene.sky, 0.5 + 0.5 * ray[1]) * 0.75
    for panel in scene.panels:
        out += 2.6 * step(0.80 - 4 / sharp, 0.86 + 3 / sharp, (unit(vec(*panel)) * ray).sum(0))
    return out


def shade(scene: Scene, origin: Array, ray: Array, bounces: int = 1) -> Array:
    """(3, n) light that comes back along each ray."""
    t = march(scene, origin, ray)
    seen = np.isfinite(t)
    out = surroundings(scene, ray) * 0.6
    if not seen.any():
        return out
    p = origin[:, seen] + ray[:, seen] * t[seen]
    n = normal(scene, p)
    which = np.argmin([thing.shape(p) for thing in scene.things], 0)
    lit = np.zeros_like(p)
    free = openness(scene, p, n)
    shadows = [shadow(scene, p + n * 0.004, lamp) if lamp.size else free for lamp in scene.lamps]
    for index, thing in enumerate(scene.things):
        mine = which == index
        if mine.any():
            part = (p[:, mine], n[:, mine], ray[:, seen][:, mine], free[mine])
            lit[:, mine] = _surface(scene, thing, part, [s[mine] for s in shadows], bounces)
    out[:, seen] = lit
    return out


def _surface(
    scene: Scene,
    thing: Thing,
    part: tuple[Array, Array, Array, Array],
    shadows: list[Array],
    bounces: int,
) -> Array:
    p, n, ray, free = part
    look = thing.look(p)
    if look.bump is not None:
        n = unit(n + look.bump)
    mirrored = ray - 2 * (ray * n).sum(0) * n
    diffuse = blend(scene.ground, scene.sky, 0.5 + 0.5 * n[1]) * free
    shine = np.zeros_like(p)
    for lamp, dark in zip(scene.lamps, shadows, strict=True):
        towards = unit(vec(*lamp.towards))
        facing = (n * towards).sum(0)
        wrapped = np.clip((facing + look.glow) / (1 + look.glow), 0, 1)
        diffuse += vec(*lamp.colour) * wrapped * dark
        half = np.clip((unit(towards - ray) * n).sum(0), 0, 1)
        shine += vec(*lamp.colour) * half**look.sharp * dark * (look.sharp + 8) / 60
    if look.gloss == 0:
        return look.colour * diffuse
    edge = (1 - np.clip(-(ray * n).sum(0), 0, 1)) ** 5
    fresnel = look.gloss + (1 - look.gloss) * edge * min(1.0, look.gloss * 8)
    if bounces and look.sharp > 40:
        room = shade(scene, p + n * 0.01, mirrored, bounces - 1)
    else:
        room = surroundings(scene, mirrored, look.sharp) * free
    if look.metal:
        return look.colour * (room * (0.75 + 0.25 * edge) + shine * 0.4) + 0.1 * edge * room
    return look.colour * diffuse * (1 - fresnel) + fresnel * room + look.gloss * shine


def render(scene: Scene, width: int, height: int, samples: int = 4, seed: int = 1) -> Array:
    """(height, width, 3) float32, linear, unclipped."""
    random = np.random.default_rng(seed)
    forward = unit(vec(*scene.target) - vec(*scene.eye))
    right = unit(np.cross(forward[:, 0], (0, 1, 0)).astype(np.float32)[:, None])
    up = np.cross(right[:, 0], forward[:, 0]).astype(np.float32)[:, None]
    total = np.zeros((3, width * height), np.float32)
    rows, columns = np.divmod(np.arange(width * height), width)
    grid = int(np.ceil(np.sqrt(samples)))
    for sample in range(samples):
        cell_y, cell_x = divmod(sample, grid)
        for start in range(0, width * height, CHUNK):
            part = slice(start, start + CHUNK)
            jx, jy = random.random((2, rows[part].size), np.float32)
            x = (columns[part] + (cell_x + jx) / grid - width / 2) / (height / 2)
            y = (height / 2 - rows[part] - (cell_y + jy) / grid) / (height / 2)
            ray = unit(forward * np.float32(scene.zoom) + right * x + up * y).astype(np.float32)
            origin = np.repeat(vec(*scene.eye), ray.shape[1], 1)
            # a highlight may not outshine its pixel, or its edge would show stairs
            total[:, part] += np.minimum(shade(scene, origin, ray), 4) / samples
    return total.T.reshape(height, width, 3)


def develop(linear: Array, exposure: float = 1.0) -> Array:
    """Linear light → sRGB uint8 through a filmic shoulder, with a whisper of grain."""
    x = np.maximum(linear * exposure, 0)
    x = np.where(x < 0.6, x, 0.6 + 0.4 * (1 - np.exp(-(x - 0.6) / 0.4)))
    x = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-9) ** (1 / 2.4) - 0.055)
    grain = np.random.default_rng(5).normal(0, 0.004, x.shape[:2])[:, :, None]
    return np.clip((x + grain) * 255 + 0.5, 0, 255).astype(np.uint8)
