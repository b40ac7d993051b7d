"""Is the light as warm and as bright as it should be, and are colours and tones still there:
`warmer`, `brighter`, `exposure`, `saturation`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from relightflow.checks.siblings import in_order, residuals, value_of
from relightflow.checks.wording import at_least, at_most, rounded, standing
from relightflow.model.check import CheckResult, Verdict
from relightflow.model.values import Scalar
from relightflow.plugins.check import CheckView, Measured
from relightflow.plugins.records import CheckContext, CheckRecord

_COLDEST_FIRST = ("cool", "neutral", "warm", "sunset")
_WARMER_LEAST = 0.15
"""CIELAB b*: compression changes the mean by less than 0.1."""
_ALONE = {"cool": -1.0, "warm": 1.0, "sunset": 1.0}
_ALONE_SURE, _ALONE_WRONG = 2.0, -2.0
_BRIGHTER_LEAST = 0.05
"""Stops."""
_UNSURE = 0.75
"""Share of the bound from which on `exposure` is unsure."""
_ALL_DARK = 1.6
"""Stops below the input image, from which on all results of it together are in doubt."""
_COLOURFUL = 4.0
"""Spread of a* and b*: an input image below it has too little colour to lose any."""


@dataclass(frozen=True, slots=True)
class _WarmerCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> tuple[float, float | None]:
        """Mean b* of the result, and its change to the input image."""
        from relightflow.checks import pixels

        yellow, _ = pixels.colour(view.result, view.source)
        if view.source is None:
            return yellow, None
        return yellow, yellow - pixels.colour(view.source, view.source)[0]

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        axis = str(self.context.options.get("axis", "light_temperature"))
        order = tuple(map(str, self.context.options.get("order", _COLDEST_FIRST)))
        ranked = in_order(results, axis, _place(order), lambda item: item.value[0], _WARMER_LEAST)
        found: list[CheckResult | None] = [None] * len(results)
        for index, item in ranked.items():
            word = str(value_of(results[index].output, axis))
            if item.margin is None:
                found[index] = _warm_alone(results[index], word)
                continue
            found[index] = standing(
                item, _WARMER_LEAST, "b*",
                f"its colour is not where {word} belongs among its siblings ({' < '.join(order)})",
                f"its colour hardly differs from that of its siblings ({' < '.join(order)})",
            )  # fmt: skip
        return found


def _warm_alone(item: Measured, word: str) -> CheckResult | None:
    """Without siblings the input image has to do; what is neutral may move either way."""
    if word not in _ALONE:
        return None
    change = item.value[1]
    shift = float("nan") if change is None else change * _ALONE[word]
    weak = f"no sibling has another temperature, and the change of colour is too small for {word}"
    return at_least(shift, _ALONE_WRONG, _ALONE_SURE, "b*", f"the light is not {word}", weak)


@dataclass(frozen=True, slots=True)
class _BrighterCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> float:
        """Stops against the input image, or white where there is none."""
        from relightflow.checks import pixels

        return pixels.light(view.result, view.source)[2]

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        axis = str(self.context.options.get("axis", "light_intensity"))
        order = tuple(map(str, self.context.options["order"]))
        ranked = in_order(results, axis, _place(order), lambda item: item.value, _BRIGHTER_LEAST)
        found: list[CheckResult | None] = [None] * len(results)
        for index, item in ranked.items():
            if item.margin is None:
                continue  # no sibling has another brightness
            word = value_of(results[index].output, axis)
            found[index] = standing(
                item, _BRIGHTER_LEAST, "stops",
                f"it is not as bright as {word} should be among its siblings ({' < '.join(order)})",
                f"it is hardly as bright as {word} should be ({' < '.join(order)})",
            )  # fmt: skip
        return found


def _place(order: Sequence[str]) -> Callable[[Scalar], float | None]:
    places = {word: float(place) for place, word in enumerate(order)}
    return lambda value: places.get(str(value))


@dataclass(frozen=True, slots=True)
class _ExposureCheck:
    context: CheckContext

    def _all_dark(self, results: Sequence[Measured]) -> CheckResult | None:
        """A doubt about all results: siblings that are all too dark say nothing about each other."""
        usual = median(item.value[0] for item in results) if results else 0.0
        known = all(item.value[2] for item in results)
        if not known or usual > -_ALL_DARK:
            return None
        words = f"all results are {-usual:.1f} stops darker than the input image"
        return CheckResult(Verdict.UNSURE, rounded(-usual), _ALL_DARK, "stops", words)

    def measure(self, view: CheckView) -> tuple[float, float, bool]:
        """Stops, percent that is clipped now and was not, and whether that is to the input image."""
        from relightflow.checks import pixels

        stops = pixels.highlights(view.result, view.source)
        return stops, pixels.clipped(view.result, view.source), view.source is not None

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        most = float(self.context.options.get("stops", 1.4))
        clipped = float(self.context.options.get("clipped", 35))
        all_dark = self._all_dark(results)
        found: list[CheckResult | None] = []
        for item, off in zip(results, residuals(results, lambda i: i.value[0]), strict=True):
            lost = at_most(
                item.value[1], clipped, clipped * _UNSURE, "%",
                f"{item.value[1]:.0f} % of the image is plain black or white and was not before",
            )  # fmt: skip
            if lost.verdict == "fail":
                found.append(lost)
                continue
            if off is None or all_dark:
                found.append(all_dark or lost)
                continue
            side = "darker" if off < 0 else "brighter"
            words = f"it is {abs(off):.1f} stops {side} than its siblings let expect"
            odd = at_most(abs(off), most, most * _UNSURE, "stops", words)
            found.append(lost if odd.verdict == "pass" and lost.verdict == "unsure" else odd)
        return found


@dataclass(frozen=True, slots=True)
class _SaturationCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> tuple[float, float | None]:
        """How much the colours differ from one another: in the result and in the input image."""
        from relightflow.checks import pixels

        mine = pixels.colour(view.result, view.source)[1]
        return mine, None if view.source is None else pixels.colour(view.source, view.source)[1]

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        least = float(self.context.options.get("at_least", 0.12))
        if not results:
            return []
        usual = median(item.value[0] for item in results)
        found: list[CheckResult | None] = []
        for item in results:
            mine, before = item.value
            wanted = usual if before is None else before
            if wanted < _COLOURFUL:
                found.append(None)
                continue
            words = "its colours are gone: they hardly differ from one another any more"
            found.append(at_least(mine / wanted, least, least * 1.5, "×", words))
        return found


def _schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _axis(default: str, what: str) -> dict[str, Any]:
    about = f"Parameter that says {what}."
    return {"type": "string", "default": default, "description": about}


_ORDER = {"type": "array", "minItems": 2, "uniqueItems": True, "items": {"type": "string"}}

RECORDS = (
    CheckRecord(
        name="warmer",
        summary="Warmer light makes a warmer image, in the order cool, neutral, warm, sunset",
        create=_WarmerCheck,
        severity="fail",
        default=True,
        schema=_schema(
            axis=_axis("light_temperature", "how warm the light is"),
            order={
                **_ORDER,
                "default": list(_COLDEST_FIRST),
                "description": "Values of the axis, the coldest first.",
            },
        ),
    ),
    CheckRecord(
        name="brighter",
        summary="Stronger light makes a brighter image, in the order that the recipe declares",
        create=_BrighterCheck,
        severity="fail",
        schema={
            **_schema(
                axis=_axis("light_intensity", "how strong the light is"),
                order={**_ORDER, "description": "Values of the axis, the darkest first."},
            ),
            "required": ["order"],
        },
    ),
    CheckRecord(
        name="exposure",
        summary="As bright as its siblings let expect, and not burnt out or drowned in black",
        create=_ExposureCheck,
        default=True,
        schema=_schema(
            stops={
                "type": "number", "exclusiveMinimum": 0, "default": 1.4,
                "description": "Stops by which a result may differ from what its siblings let expect.",
            },
            clipped={
                "type": "number", "minimum": 0, "maximum": 100, "default": 35,
                "description": "Percent of the image that may have become plain black or white.",
            },
        ),
    ),
    CheckRecord(
        name="saturation",
        summary="The colours of the input image are still there",
        create=_SaturationCheck,
        severity="fail",
        default=True,
        schema=_schema(
            at_least={
                "type": "number", "minimum": 0, "maximum": 1, "default": 0.12,
                "description": "How much of the spread of colours must be left, as a share.",
            },
        ),
    ),
)  # fmt: skip
