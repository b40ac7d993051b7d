"""A perfume bottle on a stone plinth in a paper sweep."""

from __future__ import annotations

import numpy as np
from tracer import (
    Array,
    Lamp,
    Look,
    Scene,
    Thing,
    blend,
    box,
    clouds,
    cylinder,
    noise,
    smooth_min,
    sphere,
    step,
    turn,
    vec,
)

SLAB = 0.34
WORD = (
    ".###. #...# ####. ####. #####",
    "#...# ##.## #...# #...# #....",
    "#...# #.#.# #...# #...# #....",
    "##### #.#.# ####. ####. ###..",
    "#...# #...# #...# #.#.. #....",
    "#...# #...# #...# #..#. #....",
    "#...# #...# ####. #...# #####",
)
"""What the label says, in dots."""


def sweep(p: Array) -> Array:
    """Floor and wall in one sheet, as in a studio."""
    return smooth_min(p[1], p[2] + 2.4, 2.2)


def paper(p: Array) -> Look:
    return Look(blend((0.58, 0.44, 0.37), (0.62, 0.47, 0.40), clouds(p, 40, 2)))


def slab(p: Array) -> Array:
    low = cylinder(p, (0.0, SLAB / 2, 0.0), 1.28, SLAB / 2, 0.03)
    return np.minimum(low, cylinder(p, (1.0, 0.55, -0.95), 0.46, 0.55, 0.03))


def stone(p: Array) -> Look:
    warped = p + 0.25 * np.stack([clouds(p + d, 2.2, 4) for d in (0.0, 5.0, 11.0)])
    vein = np.abs(clouds(warped, 1.6, 5) - 0.5)
    colour = blend((0.40, 0.33, 0.28), (0.70, 0.66, 0.61), step(0.0, 0.09, vein))
    return Look(colour * (0.93 + 0.14 * clouds(p, 14, 3)), gloss=0.04, sharp=46)


def _bottle(p: Array) -> Array:
    return turn(p - vec(-0.12, SLAB, 0.1), -16)


def glass(p: Array) -> Array:
    q = _bottle(p)
    body = box(q, (0, 0.66, 0), (0.52, 0.66, 0.24), 0.10)
    return smooth_min(body, cylinder(q, (0, 1.36, 0), 0.15, 0.12, 0.02), 0.06)


def amber(p: Array) -> Look:
    q = _bottle(p)
    filled = step(1.06, 1.045, q[1])
    rim = np.maximum(np.abs(q[0]) / 0.52, np.abs(q[1] - 0.66) / 0.66)
    deep = step(0.70, 1.0, rim)
    liquid = blend((0.74, 0.30, 0.055), (0.28, 0.075, 0.012), deep)
    liquid = liquid * (0.75 + 0.45 * step(0.0, 1.1, q[1]))
    air = blend((0.72, 0.62, 0.53), (0.40, 0.30, 0.24), deep)
    colour = air * (1 - filled) + liquid * filled
    bottom = step(0.10, 0.06, q[1])
    colour = colour * (1 - bottom) + vec(0.62, 0.47, 0.36) * bottom
    return Look(colour, gloss=0.07, sharp=140, glow=0.35)


def label(p: Array) -> Array:
    return box(_bottle(p), (0, 0.60, 0.241), (0.30, 0.33, 0.006), 0.005)


def print_(p: Array) -> Look:
    q = _bottle(p)
    x, y = q[0], q[1] - 0.60
    frame = step(0.008, 0.004, np.abs(np.maximum(np.abs(x) - 0.265, np.abs(y) - 0.295)))
    sun = step(0.008, 0.004, np.abs(np.sqrt(x * x + (y - 0.12) ** 2) - 0.085))
    disc = step(0.05, 0.045, np.sqrt(x * x + (y - 0.12) ** 2))
    dots = np.array([[dot == "#" for dot in row] for row in WORD], np.float32)
    column, row = np.floor((x + 0.195) / 0.0135), np.floor((-0.015 - y) / 0.0135)
    inside = (column >= 0) & (column < dots.shape[1]) & (row >= 0) & (row < len(WORD))
    word = np.where(
        inside,
        dots[np.where(inside, row, 0).astype(int), np.where(inside, column, 0).astype(int)],
        0,
    )
    small = (np.abs(np.abs(y + 0.19) - 0.016) < 0.004) * (
        np.abs(x) < 0.12 - 2.5 * np.abs(y + 0.174)
    )
    ink = np.clip(frame + sun + disc + word + 0.6 * small, 0, 1)
    return Look(blend((0.84, 0.80, 0.73), (0.16, 0.09, 0.06), ink), gloss=0.02, sharp=20)


def cap(p: Array) -> Array:
    q = _bottle(p)
    lid = box(q, (0, 1.72, 0), (0.25, 0.25, 0.22), 0.05)
    collar = cylinder(q, (0, 1.43, 0), 0.19, 0.05, 0.015)
    return np.minimum(lid, collar)


def gold(p: Array) -> Look:
    brushed = noise(_bottle(p), (3.0, 90.0, 3.0))
    return Look(blend((0.70, 0.50, 0.24), (0.82, 0.62, 0.34), brushed), 0.8, 55, metal=True)


def pebbles(p: Array) -> Array:
    squash = vec(1, 1.35, 1)
    a = sphere(p * squash, (0.72, (SLAB + 0.13) * 1.35, 0.52), 0.18)
    b = sphere(p * squash, (0.98, (SLAB + 0.08) * 1.35, 0.30), 0.11)
    return np.minimum(a, b) * 0.72


def pebble(p: Array) -> Look:
    bands = 0.5 + 0.5 * np.sin(30 * p[1] + 8 * clouds(p, 4, 3))
    return Look(blend((0.16, 0.15, 0.15), (0.33, 0.31, 0.30), bands), gloss=0.03, sharp=30)


def fruit(p: Array) -> Array:
    return sphere(p, (1.02, 1.1 + 0.27, -0.92), 0.27) + 0.004 * noise(p, 40)


def peel(p: Array) -> Look:
    bump = 0.12 * np.stack([noise(p + d, 44) - 0.5 for d in (0.0, 9.1, 17.7)])
    return Look(
        blend((0.78, 0.26, 0.03), (0.86, 0.36, 0.05), noise(p, 30)), 0.045, 30, bump=bump, glow=0.2
    )


def scene() -> Scene:
    things = [
        Thing(sweep, paper),
        Thing(slab, stone),
        Thing(glass, amber),
        Thing(label, print_),
        Thing(cap, gold),
        Thing(pebbles, pebble),
        Thing(fruit, peel),
    ]
    lamps = [
        Lamp((-0.4, 1.0, 0.8), (0.80, 0.79, 0.77), 0.6),
        Lamp((0.8, 0.4, 0.8), (0.20, 0.20, 0.21), 0),
    ]
    panels = ((-0.75, 0.35, 0.55), (0.9, 0.25, 0.35))
    return Scene(things, lamps, (0.02, 1.75, 7.2), (0.04, 1.0, 0.0), 3.95, panels=panels)
