"""Does the light come from where the recipe says: `direction`.

The change of light to the input image is fitted by a slope, across and down. Siblings decide: of one
image, the result lit from the left must have its light further to the left than the others. A slope
alone says little, because the image's own content leans as well: with light from behind or above,
slopes reach those of light from the right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from relightflow.checks.siblings import in_order, value_of
from relightflow.checks.wording import at_least, standing
from relightflow.model.check import CheckResult
from relightflow.model.values import Scalar
from relightflow.plugins.check import CheckView, Measured
from relightflow.plugins.records import CheckContext, CheckRecord

_TOWARDS = {
    "left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1),
    "top-left": (-1, -1), "top-right": (1, -1), "bottom-left": (-1, 1), "bottom-right": (1, 1),
    "front": (0, 0), "none": None, "back": None,
}  # fmt: skip
"""Where each word is: to the right, down. None: says nothing about the sides, and is no measure for
the others: light from behind makes the subject darker, wherever it stands."""

_LEAST = 0.03
"""Stops over half a side; noise and compression stay well below."""
_ALONE, _WRONG = 0.35, -0.6
"""Stops against the input image alone, from which on a slope is believed."""


@dataclass(frozen=True, slots=True)
class _DirectionCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> tuple[float, float, bool]:
        """The slopes to the right and down, and whether they are relative to the input image."""
        from relightflow.checks import pixels

        across, down, _ = pixels.light(view.result, view.source)
        return across, down, view.source is not None

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        axis = str(self.context.options.get("axis", "light_direction"))
        found: list[CheckResult | None] = [None] * len(results)
        for side in (0, 1):
            ranked = in_order(results, axis, self._rank(side), _slope(side), _LEAST)
            for index, item in ranked.items():
                towards = self._towards(value_of(results[index].output, axis))
                if not towards or not towards[side]:
                    continue
                word = _word(towards[side], side)
                if item.margin is None:
                    verdict = _alone(results[index], side, towards[side], word)
                else:
                    verdict = standing(
                        item, _LEAST, "stops",
                        f"the light comes less from the {word} than that of its siblings",
                        f"the light comes hardly more from the {word} than that of its siblings",
                    )  # fmt: skip
                before = found[index]
                if before is None or _GRAVEST.index(verdict.verdict) < _GRAVEST.index(
                    before.verdict
                ):
                    found[index] = verdict
        return found

    def _towards(self, value: Scalar) -> tuple[int, int] | None:
        words = self.context.options.get("values", {})
        return _TOWARDS.get(str(words.get(str(value), value)))

    def _rank(self, side: int) -> Callable[[Scalar], float | None]:
        def rank(value: Scalar) -> float | None:
            towards = self._towards(value)
            return None if towards is None else float(towards[side])

        return rank


_GRAVEST = ("fail", "unsure", "error", "pass")


def _slope(side: int) -> Callable[[Measured], float]:
    return lambda item: float(item.value[side])


def _word(sign: int, side: int) -> str:
    return (("left", "right") if side == 0 else ("top", "bottom"))[sign > 0]


def _alone(item: Measured, side: int, sign: int, word: str) -> CheckResult:
    """Without siblings the input image has to do."""
    slope = item.value[side] * sign if item.value[2] else float("nan")
    weak = f"no sibling has another light, and the input image alone does not tell {word}"
    return at_least(
        slope, _WRONG, _ALONE, "stops", f"the light does not come from the {word}", weak
    )


RECORDS = (
    CheckRecord(
        name="direction",
        summary="The light comes from the side that the cell asks for, compared with its siblings",
        create=_DirectionCheck,
        severity="fail",
        default=True,
        schema={
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "axis": {
                    "type": "string",
                    "default": "light_direction",
                    "description": "Parameter that says where the light comes from.",
                },
                "values": {
                    "type": "object",
                    "additionalProperties": {"enum": list(_TOWARDS)},
                    "description": "What the values of the axis mean, where they are other words: "
                    "{links: left}.",
                },
            },
        },
    ),
)
