"""A mannequin's head and shoulders: nobody's likeness, modelled from ellipsoids."""

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
    ellipsoid,
    noise,
    smooth_max,
    smooth_min,
    sphere,
    step,
    turn,
    vec,
)

TURNED = -14


def _face(p: Array) -> Array:
    return turn(p + vec(0, 0.12, 0), TURNED)


def _mirror(q: Array) -> Array:
    out = q.copy()
    out[0] = np.sqrt(q[0] * q[0] + 1e-4)
    return out


def _smile(q: Array) -> Array:
    """Corners of the mouth a little higher than its middle."""
    out = q.copy()
    out[1] = q[1] - 0.6 * q[0] * q[0]
    return out


def head(p: Array) -> Array:
    q = _face(p)
    m = _mirror(q)
    d = ellipsoid(q, (0, 0.30, -0.12), (0.74, 0.82, 0.86))
    d = smooth_min(d, ellipsoid(q, (0, -0.22, 0.20), (0.52, 0.60, 0.54)), 0.30)
    d = smooth_min(d, ellipsoid(q, (0, -0.67, 0.50), (0.17, 0.14, 0.16)), 0.22)
    d = smooth_min(d, ellipsoid(m, (0.37, -0.08, 0.42), (0.19, 0.16, 0.18)), 0.20)
    d = smooth_max(d, -ellipsoid(m, (0.29, 0.145, 0.80), (0.20, 0.115, 0.17)), 0.16)
    d = smooth_min(d, capsule(m, (0.10, 0.295, 0.70), (0.44, 0.30, 0.50), 0.055, 0.04), 0.14)
    d = smooth_min(d, capsule(q, (0, 0.22, 0.69), (0, -0.10, 0.87), 0.058, 0.078), 0.12)
    d = smooth_min(d, sphere(m, (0.088, -0.125, 0.76), 0.056), 0.06)
    d = smooth_max(d, -sphere(m, (0.045, -0.175, 0.825), 0.022), 0.03)
    d = smooth_min(d, ellipsoid(q, (0, -0.37, 0.60), (0.24, 0.15, 0.15)), 0.12)
    d = smooth_min(d, ellipsoid(m, (0.052, -0.345, 0.725), (0.108, 0.033, 0.055)), 0.035)
    d = smooth_min(d, ellipsoid(q, (0, -0.425, 0.715), (0.118, 0.045, 0.060)), 0.035)
    d = smooth_max(d, -ellipsoid(_smile(q), (0, -0.384, 0.80), (0.19, 0.009, 0.08)), 0.022)
    ear = smooth_max(
        ellipsoid(m, (0.73, 0.02, -0.10), (0.075, 0.21, 0.14)),
        -ellipsoid(m, (0.80, 0.03, -0.06), (0.05, 0.13, 0.075)),
        0.05,
    )
    d = smooth_min(d, ear, 0.05)
    neck = capsule(p, (0, -0.62, -0.14), (0, -1.42, -0.22), 0.37, 0.45)
    d = smooth_min(d, neck, 0.14)
    return d * 0.85


def eyes(p: Array) -> Array:
    return sphere(_mirror(_face(p)), (0.272, 0.118, 0.545), 0.128)


def lids(p: Array) -> Array:
    m = _mirror(_face(p))
    shell = np.abs(sphere(m, (0.272, 0.118, 0.545), 0.142)) - 0.012
    upper = smooth_max(shell, -(m[1] - 0.168 + 2.6 * (m[0] - 0.262) ** 2), 0.012)
    lower = smooth_max(shell, m[1] - 0.066 - 1.6 * (m[0] - 0.272) ** 2, 0.012)
    return np.minimum(upper, lower)


def skin(p: Array) -> Look:
    q = _face(p)
    m = _mirror(q)
    colour = blend((0.58, 0.335, 0.24), (0.64, 0.385, 0.285), clouds(p, 6, 4))
    cheek = np.exp(-6 * ((m[0] - 0.36) ** 2 + (q[1] + 0.12) ** 2)) * step(0.2, 0.5, q[2])
    nose = np.exp(-30 * (q[0] ** 2 + (q[1] + 0.11) ** 2)) * step(0.6, 0.8, q[2])
    colour = colour * (1 - 0.18 * (cheek + nose) * vec(0.1, 0.8, 0.7))
    lips = np.minimum(
        ellipsoid(m, (0.052, -0.345, 0.725), (0.108, 0.033, 0.055)),
        ellipsoid(q, (0, -0.425, 0.715), (0.118, 0.045, 0.060)),
    )
    mouth = step(0.03, 0.004, lips)
    colour = colour * (1 - mouth) + vec(0.46, 0.16, 0.14) * mouth
    arch = 0.322 - 1.3 * (m[0] - 0.31) ** 2
    brow = step(0.045, 0.02, np.abs(q[1] - arch)) * step(0.09, 0.13, m[0]) * step(0.52, 0.44, m[0])
    brow = brow * step(0.2, 0.5, q[2]) * (0.6 + 0.4 * noise(p, (90.0, 40.0, 40.0)))
    colour = colour * (1 - 0.72 * brow)
    return Look(colour, gloss=0.028, sharp=18, glow=0.3)


def iris(p: Array) -> Look:
    # both look a little to the image's right, at the viewer
    q = _face(p)
    r = np.sqrt((np.abs(q[0] - 0.022) - 0.272) ** 2 + (q[1] - 0.116) ** 2)
    colour = blend((0.10, 0.14, 0.13), (0.78, 0.75, 0.72), step(0.056, 0.064, r))
    return Look(colour * (0.12 + 0.88 * step(0.022, 0.028, r)), gloss=0.06, sharp=200)


def hair(p: Array) -> Array:
    """Combed back from a round hairline into a knot."""
    q = _face(p)
    cap = ellipsoid(q, (0, 0.37, -0.17), (0.81, 0.84, 0.90))
    line = 0.66 - 0.75 * q[0] * q[0] - 0.95 * step(0.42, -0.45, q[2])
    cut = smooth_max(cap, line - q[1], 0.12)
    knot = ellipsoid(q, (0.0, 1.02, -0.72), (0.33, 0.30, 0.32))
    waves = 0.003 * np.sin(40 * np.arctan2(q[0], q[1] - 0.1) + 3 * noise(q, 2.5))
    return (smooth_min(cut, knot, 0.10) + waves) * 0.75


def strands(p: Array) -> Look:
    q = _face(p)
    around = np.arctan2(q[0], q[1] - 0.1)
    fibre = noise(np.stack((around * 38, q[2] * 1.6, 0 * around)), 1.0)
    fibre = 0.6 * fibre + 0.4 * noise(np.stack((around * 110, q[2] * 3, 0 * around)), 1.0)
    return Look(blend((0.06, 0.03, 0.016), (0.24, 0.125, 0.06), fibre), gloss=0.04, sharp=16)


def coat(p: Array) -> Array:
    m = _mirror(p)
    chest = ellipsoid(p, (0, -2.35, -0.25), (1.25, 0.95, 0.62))
    arms = capsule(m, (0.45, -1.58, -0.25), (1.28, -1.98, -0.28), 0.24, 0.37)
    d = smooth_min(chest, arms, 0.34)
    d = smooth_min(d, capsule(m, (1.28, -1.98, -0.28), (1.5, -3.4, -0.2), 0.36, 0.3), 0.2)
    collar = np.abs(capsule(p, (0, -0.9, -0.16), (0, -1.7, -0.20), 0.47, 0.62)) - 0.05
    collar = smooth_max(collar, p[1] + 1.16 + 0.22 * p[2], 0.05)
    folds = 0.012 * np.sin(16 * p[1] + 4 * noise(p, 2.2)) * step(-1.05, -1.5, p[1])
    return (smooth_min(d, collar, 0.10) + folds) * 0.8


def knit(p: Array) -> Look:
    rib = 0.5 + 0.5 * np.sin(70 * p[0] + 6 * np.sin(36 * p[1]))
    colour = blend((0.045, 0.125, 0.14), (0.085, 0.215, 0.235), 0.6 * rib + 0.4 * noise(p, 50))
    return Look(colour)


def backdrop(p: Array) -> Array:
    return p[2] + 2.8


def canvas(p: Array) -> Look:
    mottled = clouds(p + vec(2, 3, 0), 0.8, 5)
    near = np.exp(-0.10 * (p[0] ** 2 + (p[1] - 0.1) ** 2))
    return Look(blend((0.20, 0.19, 0.18), (0.46, 0.43, 0.39), 0.55 * mottled + 0.5 * near))


def scene() -> Scene:
    things = [
        Thing(head, skin),
        Thing(eyes, iris),
        Thing(lids, skin),
        Thing(hair, strands),
        Thing(coat, knit),
        Thing(backdrop, canvas),
    ]
    lamps = [
        Lamp((-0.35, 0.75, 1.0), (0.92, 0.90, 0.88), 0.7),
        Lamp((0.7, 0.1, 0.8), (0.20, 0.20, 0.21), 0),
    ]
    return Scene(things, lamps, (0.0, 0.0, 7.4), (0.0, -0.46, 0.0), 4.15)
