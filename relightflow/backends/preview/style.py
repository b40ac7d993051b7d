"""What the words mean in numbers: one row for every value of the four parameters."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.values import Parameters


@dataclass(frozen=True, slots=True)
class Direction:
    """Unit vector towards the lamp: x to the right, y down, z towards the viewer."""

    x: float
    y: float
    z: float
    behind: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A lamp: how hard, how wide, how far."""

    wrap: float
    """How far light creeps round a form: 0 a point, 1 from everywhere."""
    fine: float
    """How much of the fine relief shows."""
    fill: float
    """Light from everywhere, as a share of the whole."""
    falloff: float
    """How fast it fades across the image, in natural logarithms from middle to edge."""
    shadow: float
    """Darkness of cast shadows."""
    penumbra: float
    """Softness of their edges, as a share of their length."""
    shine: float
    sharp: float
    """Strength and exponent of the highlight."""
    pool: float = 0.0
    """Radius of the lit pool in half images; 0: no pool."""
    rim: float = 1.0
    """Strength of the rim when the lamp is behind."""
    exposure: float = 1.0
    contrast: float = 1.0


@dataclass(frozen=True, slots=True)
class Intensity:
    exposure: float
    contrast: float
    """Power about middle grey."""
    ratio: float
    """Multiplies the fill: below 1 the shadows are deeper."""
    vignette: float
    lift: float = 0.0
    """Pulls the image's mean towards middle grey."""


@dataclass(frozen=True, slots=True)
class Temperature:
    key: float
    """Colour temperature of the lamp, kelvin."""
    key_strength: float
    fill: float
    fill_strength: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Multiplies the fill's colour."""


@dataclass(frozen=True, slots=True)
class Style:
    direction: Direction
    kind: Kind
    intensity: Intensity
    temperature: Temperature


DIRECTIONS = {
    "left": Direction(-0.89, -0.18, 0.42),
    "right": Direction(0.89, -0.18, 0.42),
    "top": Direction(0.0, -0.90, 0.44),
    "back": Direction(0.0, -0.45, -0.89, behind=True),
}

KINDS = {
    "softbox": Kind(
        wrap=0.36, fine=0.15, fill=0.18, falloff=0.72, shadow=0.40, penumbra=1.2, shine=0.15,
        sharp=7, rim=0.8, contrast=1.0,
    ),
    "sunlight": Kind(
        wrap=0.02, fine=1.0, fill=0.15, falloff=0.34, shadow=0.85, penumbra=0.24, shine=0.55,
        sharp=22, rim=1.5, contrast=1.12, exposure=1.08,
    ),
    "spotlight": Kind(
        wrap=0.14, fine=0.6, fill=0.07, falloff=0.30, shadow=0.75, penumbra=0.30, shine=0.45,
        sharp=16, pool=0.85, rim=1.3, contrast=1.06, exposure=0.84,
    ),
    "ambient": Kind(
        wrap=0.90, fine=0.05, fill=0.52, falloff=0.40, shadow=0.10, penumbra=2.0, shine=0.0,
        sharp=4, rim=0.45, contrast=0.94,
    ),
}  # fmt: skip

INTENSITIES = {
    "mood": Intensity(exposure=0.34, contrast=1.16, ratio=0.50, vignette=0.55),
    "medium": Intensity(exposure=1.02, contrast=1.0, ratio=1.0, vignette=0.12),
    "bright": Intensity(exposure=1.62, contrast=0.90, ratio=1.55, vignette=0.0, lift=0.12),
    "strong": Intensity(exposure=1.22, contrast=1.30, ratio=0.60, vignette=0.22),
}

TEMPERATURES = {
    "warm": Temperature(key=3100, key_strength=0.50, fill=4300, fill_strength=0.38),
    "cool": Temperature(key=11000, key_strength=0.95, fill=9000, fill_strength=0.80),
    "neutral": Temperature(key=6500, key_strength=0.0, fill=6500, fill_strength=0.0),
    "sunset": Temperature(
        key=2150, key_strength=0.44, fill=5600, fill_strength=0.3, tint=(1.14, 0.84, 1.26)
    ),
}


def style(parameters: Parameters) -> Style:
    """The four words as numbers. Raises KeyError for a missing parameter or an unknown word."""
    return Style(
        DIRECTIONS[parameters["light_direction"]],
        KINDS[parameters["light_type"]],
        INTENSITIES[parameters["light_intensity"]],
        TEMPERATURES[parameters["light_temperature"]],
    )
