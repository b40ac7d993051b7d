"""Is it another image than before, than its siblings, and still of the same subject: `changed`,
`distinct`, `same-subject`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relightflow.checks.wording import at_least, no_source
from relightflow.model.check import CheckResult
from relightflow.plan.spelling import spell_all, text
from relightflow.plugins.check import CheckView, Measured
from relightflow.plugins.records import CheckContext, CheckRecord

_UNSURE = 2.0
"""Times the bound, up to which a difference is called weak."""


@dataclass(frozen=True, slots=True)
class _ChangedCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> float | None:
        from relightflow.checks import pixels

        return None if view.source is None else pixels.difference(view.result, view.source)

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        least = float(self.context.options.get("at_least", 1.0))
        words = "it is the input image, unchanged"
        doubt = "it is hardly different from the input image"
        return [
            no_source()
            if item.value is None
            else at_least(item.value, least, least * _UNSURE, "levels", words, doubt)
            for item in results
        ]


@dataclass(frozen=True, slots=True)
class _DistinctCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> Any:
        from relightflow.checks import pixels

        return pixels.fingerprint(view.result)

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        """Repeats of one cell may well be alike; results of two cells may not."""
        import numpy as np

        from relightflow.checks import pixels

        least = float(self.context.options.get("at_least", 0.5))
        cells: dict[str, int] = {}
        groups = [
            cells.setdefault(spell_all(item.output.job.parameters), len(cells)) for item in results
        ]
        if len(cells) < 2:
            return [None] * len(results)
        prints = np.stack([item.value for item in results])
        distances, nearest = pixels.nearest(prints, np.array(groups))
        found: list[CheckResult | None] = []
        for distance, other in zip(distances.tolist(), nearest.tolist(), strict=True):
            cell = ", ".join(map(text, results[other].output.cell.values()))
            words = f"it is the same image as the result for {cell}"
            doubt = f"it hardly differs from the result for {cell}"
            found.append(at_least(distance, least, least * _UNSURE, "levels", words, doubt))
        return found


@dataclass(frozen=True, slots=True)
class _SameSubjectCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> Any:
        """How far its edges agree with those of the input image; without one, the edges."""
        from relightflow.checks import pixels

        if view.source is None:
            return pixels.edges(view.result)
        return pixels.likeness(view.result, view.source)

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        least = float(self.context.options.get("at_least", 0.3))
        alike = [item.value if isinstance(item.value, float) else None for item in results]
        if None in alike:
            alike = self._among_siblings(results)
        words = "its edges are not those of the input image: another subject, or a changed one"
        doubt = "its edges agree with those of the input image only in part"
        return [
            no_source()
            if value is None
            else at_least(value, least, least * 1.5, "of 1", words, doubt)
            for value in alike
        ]

    def _among_siblings(self, results: Sequence[Measured]) -> list[float | None]:
        """Where the input image is not at hand, most of the siblings show its subject."""
        import numpy as np

        from relightflow.checks import pixels

        fields = [item.value for item in results if not isinstance(item.value, float)]
        if len(fields) < 3 or len(fields) < len(results):
            return [None] * len(results)
        middle = np.median(np.stack(fields[:64]), axis=0)
        length = float(np.sqrt((middle * middle).sum()))
        if length < 1e-6:
            return [None] * len(results)
        return [pixels.correlation(field, middle / length) for field in fields]


def _schema(default: float, about: str, **bounds: float) -> dict[str, Any]:
    field = {"type": "number", "minimum": 0, **bounds, "default": default, "description": about}
    return {"type": "object", "additionalProperties": False, "properties": {"at_least": field}}


_LEVELS = "in levels of 255 (root mean square)"

RECORDS = (
    CheckRecord(
        name="changed",
        summary="The result is not the input image again",
        create=_ChangedCheck,
        severity="fail",
        default=True,
        schema=_schema(1.0, f"Smallest difference to the input image, {_LEVELS}.", maximum=255),
    ),
    CheckRecord(
        name="distinct",
        summary="The results of two cells are two images",
        create=_DistinctCheck,
        severity="fail",
        default=True,
        schema=_schema(0.5, f"Smallest difference between two cells, {_LEVELS}.", maximum=255),
    ),
    CheckRecord(
        name="same-subject",
        summary="The edges of the input image are still there, whatever the light",
        create=_SameSubjectCheck,
        severity="fail",
        default=True,
        schema=_schema(0.3, "Smallest correlation of the edges; 1 is the same image.", maximum=1),
    ),
)
