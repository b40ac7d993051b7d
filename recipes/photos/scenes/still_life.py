"""Fruit and a vase on an oak table, before a plaster wall."""

from __future__ import annotations

import numpy as np
from tracer import (
    Array,
    Lamp,
    Look,
    Scene,
    Thing,
    blend,
    capsule,
    clouds,
    cylinder,
    ellipsoid,
    length,
    noise,
    smooth_max,
    smooth_min,
    sphere,
    step,
    turn,
    vec,
)

VASE = (-0.95, 0.0, -0.35)
APPLE = (0.25, 0.42, 0.35)
PEAR = (1.02, 0.0, -0.25)
ORANGE = (-0.42, 0.40, 0.55)
LEMON = (0.92, 0.27, 0.72)


def table(p: Array) -> Array:
    return np.maximum(p[1], p[2] - 2.2)


def wood(p: Array) -> Look:
    plank = np.floor(p[2] / 0.62)
    q = p + vec(3.1, 0, 0) * plank
    grain = noise(q, (1.4, 1.0, 26.0)) * 0.6 + noise(q, (3.0, 1.0, 70.0)) * 0.4
    rings = 0.5 + 0.5 * np.sin(14 * q[2] + 5 * clouds(q, 0.9, 3))
    colour = blend((0.23, 0.115, 0.05), (0.47, 0.28, 0.135), 0.65 * grain + 0.35 * rings)
    seam = step(0.0, 0.012, np.abs(p[2] / 0.62 - np.round(p[2] / 0.62)) * 0.62)
    tone = 0.85 + 0.3 * noise(vec(0.5, 0.5, 1) * plank[None] + 0.3, 1.0)
    return Look(colour * (0.35 + 0.65 * seam) * tone, gloss=0.035, sharp=26)


def wall(p: Array) -> Array:
    return p[2] + 2.6


def plaster(p: Array) -> Look:
    stain = clouds(p, 1.3, 5)
    return Look(blend((0.30, 0.34, 0.34), (0.43, 0.45, 0.43), stain))


def vase(p: Array) -> Array:
    q = p - vec(*VASE)
    r = length(q[0], q[2])
    y = q[1]
    belly = (
        0.47
        - 0.30 * step(0.62, 1.22, y)
        + 0.12 * step(1.32, 1.6, y)
        - 0.20 * (1 - step(-0.1, 0.5, y))
    )
    body = np.maximum(r - belly, np.abs(y - 0.78) - 0.78)
    hollow = np.maximum(np.abs(r - belly + 0.03) - 0.03, 1.2 - y)
    solid = smooth_max(body, y - 1.30, 0.03)
    return np.minimum(solid, np.maximum(hollow, y - 1.56)) * 0.7


def glaze(p: Array) -> Look:
    y = p[1] - VASE[1]
    speck = step(0.70, 0.76, noise(p, 38))
    drip = 0.10 * noise(p, (5.0, 0.3, 5.0)) + 0.04 * noise(p, (14.0, 0.5, 14.0))
    colour = blend((0.60, 0.54, 0.44), (0.05, 0.17, 0.23), step(0.78, 0.84, y + drip))
    return Look(colour * (1 - 0.45 * speck), gloss=0.06, sharp=90)


def apple(p: Array) -> Array:
    q = p - vec(*APPLE)
    r = length(q[0], q[2])
    body = length(r - 0.17, q[1] * 1.0) - 0.29
    bumps = 0.012 * np.cos(5 * np.arctan2(q[2], q[0])) * step(0.1, -0.35, q[1])
    return (smooth_min(body, ellipsoid(p, APPLE, (0.34, 0.26, 0.34)), 0.08) + bumps) * 0.9


def apple_skin(p: Array) -> Look:
    q = p - vec(*APPLE)
    angle = np.arctan2(q[2], q[0])
    ring = np.stack((angle * 9, q[1] * 1.4, 0 * angle))
    streaks = 0.55 * noise(ring, 1.0) + 0.45 * noise(ring, (2.7, 1.5, 1.0))
    blush = step(-0.35, 0.55, 0.35 * np.sin(angle + 0.8) + 0.5 * streaks - 0.05)
    colour = blend((0.55, 0.46, 0.10), (0.50, 0.035, 0.03), blush)
    dots = step(0.82, 0.9, noise(p, 42)) * 0.5
    colour = colour + dots * (vec(0.6, 0.42, 0.2) - colour)
    hollow = step(0.16, 0.04, length(q[0], q[2])) * step(0.1, 0.2, q[1])
    return Look(
        blend((0, 0, 0), (0.3, 0.25, 0.08), hollow) + colour * (1 - hollow), 0.05, 70, glow=0.15
    )


def pear(p: Array) -> Array:
    q = turn(p - vec(*PEAR), -8, 2)
    lower = ellipsoid(q, (0, 0.40, 0), (0.40, 0.41, 0.40))
    return smooth_min(lower, ellipsoid(q, (0.02, 0.92, 0), (0.19, 0.27, 0.19)), 0.34)


def pear_skin(p: Array) -> Look:
    tint = clouds(p, 3.0, 3) + 0.35 * (p[1] - 0.5)
    colour = blend((0.36, 0.38, 0.075), (0.60, 0.50, 0.13), step(0.2, 0.9, tint))
    freckles = step(0.74, 0.82, noise(p, 55))
    return Look(colour * (1 - 0.4 * freckles), gloss=0.035, sharp=34, glow=0.2)


def stems(p: Array) -> Array:
    a = capsule(
        p, (APPLE[0], 0.58, APPLE[2]), (APPLE[0] + 0.07, 0.86, APPLE[2] - 0.02), 0.018, 0.026
    )
    b = capsule(p, (PEAR[0] + 0.15, 1.13, PEAR[2]), (PEAR[0] + 0.28, 1.38, PEAR[2]), 0.024, 0.032)
    return np.minimum(a, b)


def bark(p: Array) -> Look:
    return Look(blend((0.10, 0.06, 0.03), (0.24, 0.15, 0.07), noise(p, 30)))


def orange(p: Array) -> Array:
    return sphere(p, ORANGE, 0.40) + 0.004 * noise(p, 34)


def peel(p: Array) -> Look:
    pores = noise(p, 46)
    bump = 0.10 * np.stack([noise(p + d, 40) - 0.5 for d in (0.0, 9.1, 17.7)])
    colour = blend((0.72, 0.24, 0.02), (0.85, 0.36, 0.04), pores)
    top = step(0.045, 0.0, length(p[0] - ORANGE[0] - 0.1, p[2] - ORANGE[2] - 0.12))
    green = step(0, 0.2, p[1] - ORANGE[1]) * top
    return Look(
        colour * (1 - green) + vec(0.16, 0.2, 0.06) * green, 0.045, 30, bump=bump, glow=0.15
    )


def lemon(p: Array) -> Array:
    q = turn(p - vec(*LEMON), 35)
    body = ellipsoid(q, (0, 0, 0), (0.36, 0.265, 0.265))
    tips = capsule(q, (-0.40, 0, 0), (0.41, 0.01, 0), 0.045, 0.06)
    return smooth_min(body, tips, 0.12) + 0.003 * noise(p, 30)


def lemon_skin(p: Array) -> Look:
    bump = 0.08 * np.stack([noise(p + d, 36) - 0.5 for d in (0.0, 9.1, 17.7)])
    colour = blend((0.78, 0.55, 0.03), (0.88, 0.70, 0.08), noise(p, 6))
    return Look(colour, 0.045, 34, bump=bump, glow=0.15)


def bowl(p: Array) -> Array:
    q = p - vec(0.1, 0.0, -1.05)
    shell = np.abs(length(q[0], (q[1] - 0.75) * 1.15, q[2]) - 0.86) - 0.022
    cup = smooth_max(shell, q[1] - 0.62, 0.02)
    return np.minimum(cup, cylinder(p, (0.1, 0.03, -1.05), 0.36, 0.035, 0.02)) * 0.85


def pewter(p: Array) -> Look:
    return Look(blend((0.42, 0.37, 0.30), (0.55, 0.50, 0.43), clouds(p, 8, 3)), 0.09, 50)


def grapes(p: Array) -> Array:
    d = np.full(p.shape[1], 9.0, np.float32)
    random = np.random.default_rng(12)
    for _ in range(11):
        a, r = random.uniform(0, 6.28), 0.47 * np.sqrt(random.random())
        place = (
            0.1 + r * np.cos(a),
            0.66 + random.uniform(0, 0.16) - 0.2 * r,
            -1.05 + r * np.sin(a),
        )
        d = np.minimum(d, sphere(p, place, 0.15 + 0.03 * random.random()))
    return d


def grape_skin(p: Array) -> Look:
    bloom = clouds(p, 5, 3)
    return Look(blend((0.10, 0.015, 0.05), (0.25, 0.14, 0.24), bloom), 0.05, 60, glow=0.2)


def scene() -> Scene:
    things = [
        Thing(table, wood),
        Thing(wall, plaster),
        Thing(vase, glaze),
        Thing(apple, apple_skin),
        Thing(pear, pear_skin),
        Thing(stems, bark),
        Thing(orange, peel),
        Thing(lemon, lemon_skin),
        Thing(bowl, pewter),
        Thing(grapes, grape_skin),
    ]
    lamps = [
        Lamp((-0.25, 1.0, 0.75), (0.98, 0.96, 0.93), 0.42),
        Lamp((0.6, 0.5, 0.9), (0.22, 0.22, 0.23), 0),
    ]
    return Scene(things, lamps, (0.15, 2.0, 6.2), (0.06, 0.66, 0.0), 3.9)
