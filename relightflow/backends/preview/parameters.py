"""What the words mean in numbers: one row for every value of the four parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

from relightflow.model.values import Parameters


@dataclass(frozen=True, slots=True)
class Direction:
    """Unit vector towards the light: x to the right, y down, z towards the viewer."""

    x: float
    y: float
    z: float
    behind: bool = False


@dataclass(frozen=True, slots=True)
class LightType:
    """A light source: how hard, how wide, how far."""

    wrap: float
    """How far light reaches round a form: 0 a point, 1 from everywhere."""
    falloff: float
    """How fast it fades across the image, in stops from the middle to an edge."""
    fill: float
    """Light from everywhere, as a share of the whole."""
    texture: float
    """How strongly fine texture shows."""
    shadow: float
    """Darkness of cast shadows."""
    penumbra: float
    """Softness of their edges, as a share of their length."""
    specular: float
    shininess: float
    """Strength and exponent of the highlight."""
    pool: float = 0.0
    """Radius of the lit pool in half images; 0: no pool."""
    rim: float = 1.0
    """Strength of the rim when the light is behind."""
    exposure: float = 1.0
    contrast: float = 1.0


@dataclass(frozen=True, slots=True)
class _Intensity:
    exposure: float
    contrast: float
    """Power about the image's mean brightness."""
    ratio: float
    """Multiplies the fill: below 1 the shadows are deeper."""
    vignette: float
    lift: float = 0.0
    """Pulls the image's mean towards middle grey."""


@dataclass(frozen=True, slots=True)
class _Temperature:
    key: float
    """Colour temperature of the key light, kelvin."""
    key_strength: float
    fill: float
    fill_strength: float
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Multiplies the fill's colour."""
    key_tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class LightSetup:
    direction: Direction
    type: LightType
    intensity: _Intensity
    temperature: _Temperature

    @property
    def colourless(self) -> LightSetup:
        """The same in white light."""
        return replace(self, temperature=TEMPERATURES["neutral"])


DIRECTIONS = {
    "left": Direction(-0.89, -0.18, 0.42),
    "right": Direction(0.89, -0.18, 0.42),
    "top": Direction(0.0, -0.90, 0.44),
    "back": Direction(0.0, -0.45, -0.89, behind=True),
}

TYPES = {
    "softbox": LightType(
        wrap=0.40, falloff=1.80, fill=0.15, texture=0.08, shadow=0.40, penumbra=1.2,
        specular=0.12, shininess=7, rim=0.8,
    ),
    "sunlight": LightType(
        wrap=0.05, falloff=1.75, fill=0.12, texture=0.42, shadow=0.80, penumbra=0.35,
        specular=0.30, shininess=18, rim=1.4, contrast=1.10, exposure=1.06,
    ),
    "spotlight": LightType(
        wrap=0.14, falloff=1.0, fill=0.06, texture=0.28, shadow=0.65, penumbra=0.45,
        specular=0.25, shininess=14, pool=0.77, rim=1.2, contrast=1.06, exposure=0.95,
    ),
    "ambient": LightType(
        wrap=0.90, falloff=1.10, fill=0.48, texture=0.03, shadow=0.10, penumbra=2.0,
        specular=0.0, shininess=4, rim=0.4, contrast=0.94,
    ),
}  # fmt: skip

INTENSITIES = {
    "mood": _Intensity(exposure=0.40, contrast=1.12, ratio=0.50, vignette=0.55),
    "medium": _Intensity(exposure=1.0, contrast=1.0, ratio=1.0, vignette=0.10),
    "bright": _Intensity(exposure=1.60, contrast=0.88, ratio=1.55, vignette=0.0, lift=0.12),
    "strong": _Intensity(exposure=1.20, contrast=1.28, ratio=0.60, vignette=0.20),
}

TEMPERATURES = {
    "warm": _Temperature(key=3100, key_strength=0.52, fill=4300, fill_strength=0.34),
    "cool": _Temperature(key=11000, key_strength=0.84, fill=9000, fill_strength=0.76),
    "neutral": _Temperature(key=6500, key_strength=0.0, fill=6500, fill_strength=0.0),
    "sunset": _Temperature(
        key=2150,
        key_strength=0.46,
        fill=5200,
        fill_strength=0.3,
        tint=(1.12, 0.86, 1.20),
        key_tint=(1.06, 0.90, 1.10),
    ),
}


def light_setup(parameters: Parameters) -> LightSetup:
    """The four words as numbers. Raises KeyError for a missing parameter or an unknown word."""
    return LightSetup(
        DIRECTIONS[parameters["light_direction"]],
        TYPES[parameters["light_type"]],
        INTENSITIES[parameters["light_intensity"]],
        TEMPERATURES[parameters["light_temperature"]],
    )
