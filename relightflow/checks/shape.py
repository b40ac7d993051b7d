"""Is the file what was asked for, and is nothing lost or added: `size`, `aspect`, `format`, `alpha`,
`border`, `sharpness`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from statistics import median
from typing import Any

from relightflow.checks.wording import at_least, at_most, no_source
from relightflow.model.check import CheckResult, Verdict
from relightflow.plugins.check import CheckView, Measured
from relightflow.plugins.records import CheckContext, CheckRecord


@dataclass(frozen=True, slots=True)
class _SizeCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> tuple[int, int]:
        return view.result.width, view.result.height

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        return [self._one(*item.value) for item in results]

    def _one(self, width: int, height: int) -> CheckResult:
        options, wrong = self.context.options, []
        for name, pixels in (("width", width), ("height", height)):
            exact = options.get(name)
            low, high = options.get(f"min_{name}", exact), options.get(f"max_{name}", exact)
            if low is not None and pixels < low:
                wrong.append(f"at least {low} px {_ADJECTIVE[name]}")
            if high is not None and pixels > high:
                wrong.append(f"at most {high} px {_ADJECTIVE[name]}")
        bound = " and ".join(wrong) or None
        verdict = Verdict.FAIL if wrong else Verdict.PASS
        message = f"it should be {bound}" if wrong else ""
        return CheckResult(verdict, f"{width} × {height}", bound, "px", message)


_ADJECTIVE = {"width": "wide", "height": "high"}


@dataclass(frozen=True, slots=True)
class _AspectCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> float | None:
        """Percent by which the ratio of width to height differs from the input image's."""
        if view.source is None:
            return None
        now = view.result.width / view.result.height
        before = view.source.width / view.source.height
        return 100 * (max(now, before) / min(now, before) - 1)

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        most = float(self.context.options.get("tolerance", 3))
        return [
            no_source()
            if item.value is None
            else at_most(
                item.value, most, most, "%",
                "its shape is not that of the input image: it was cropped, stretched or padded",
            )
            for item in results
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _FormatCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> str:
        return view.result.media_type.removeprefix("image/")

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        allowed = tuple(self.context.options["allowed"])
        bound = ", ".join(allowed)
        return [
            CheckResult(Verdict.PASS, item.value, bound)
            if item.value in allowed
            else CheckResult(
                Verdict.FAIL, item.value, bound, "", f"it is {item.value}, not {bound}"
            )
            for item in results
        ]


@dataclass(frozen=True, slots=True)
class _AlphaCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> tuple[bool, bool | None]:
        before = None if view.source is None else view.source.alpha is not None
        return view.result.alpha is not None, before

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        return [self._one(*item.value) for item in results]

    def _one(self, now: bool, before: bool | None) -> CheckResult:
        expect = self.context.options.get("expect", "source")
        wanted = before if expect == "source" else expect == "transparent"
        if wanted is None:
            return no_source()
        value, bound = _TRANSPARENT[now], _TRANSPARENT[wanted]
        if now == wanted:
            return CheckResult(Verdict.PASS, value, bound)
        return CheckResult(Verdict.FAIL, value, bound, "", f"it is {value}, and should be {bound}")


_TRANSPARENT = {True: "transparent", False: "opaque"}


@dataclass(frozen=True, slots=True)
class _BorderCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> tuple[float, ...]:
        """Percent of the side: the widest border, less what the input image has there."""
        from relightflow.checks import pixels

        now = pixels.borders(view.result)
        before = (0.0,) * 4 if view.source is None else pixels.borders(view.source)
        return tuple(new - old for new, old in zip(now, before, strict=True))

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        most = float(self.context.options.get("at_most", 0.8))
        found: list[CheckResult | None] = []
        for item in results:
            widest = max(item.value)
            side = ("left", "top", "right", "bottom")[item.value.index(widest)]
            words = f"there is a border at the {side} that the input image does not have"
            found.append(at_most(max(widest, 0.0), most, most, "%", words))
        return found


@dataclass(frozen=True, slots=True)
class _SharpnessCheck:
    context: CheckContext

    def measure(self, view: CheckView) -> tuple[tuple[float, ...], bool]:
        """Fine detail at a common size, as multiples of the input image's where that is at hand."""
        from relightflow.checks import pixels

        if view.source is None:
            return pixels.detail(view.result, view.result.luma.shape), False
        shape = min(view.result.luma.shape, view.source.luma.shape)
        mine, before = pixels.detail(view.result, shape), pixels.detail(view.source, shape)
        ratios = (new / old if old else nan for new, old in zip(mine, before, strict=True))
        return tuple(ratios), True

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        """Held against the input image, and against the siblings, which the same provider made."""
        least = float(self.context.options.get("at_least", 0.55))
        columns = zip(*(item.value[0] for item in results), strict=True)
        usual = [_middle([v for v in column if not isnan(v)]) for column in columns]
        return [self._one(mine, known, usual, least) for mine, known in (i.value for i in results)]

    def _one(
        self, mine: Sequence[float], to_source: bool, usual: Sequence[float], least: float
    ) -> CheckResult:
        among = min(
            (m / u for m, u in zip(mine, usual, strict=True) if m / u == m / u), default=nan
        )
        alone = min((m for m in mine if not isnan(m)), default=nan) if to_source else nan
        if not to_source and isnan(among):
            return no_source()
        value, words = among, "it is more blurred than its siblings"
        if isnan(among) or alone <= among:
            value, words = alone, "it is blurred: fine detail of the input image is missing"
        return at_least(value, least, least * 1.13, "×", words)


def _middle(values: Sequence[float]) -> float:
    """The median of at least three; NaN of fewer."""
    return median(values) or nan if len(values) > 2 else nan


def _number(default: float, about: str, **bounds: float) -> dict[str, Any]:
    return {"type": "number", **bounds, "default": default, "description": about}


def _schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


_BOUNDS = ("width", "height", "min_width", "max_width", "min_height", "max_height")


def _pixels(about: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "description": f"{about} in pixels."}


RECORDS: tuple[CheckRecord, ...] = (
    CheckRecord(
        name="size",
        summary="Width and height in pixels are as the recipe says",
        create=_SizeCheck,
        severity="fail",
        schema={
            **_schema(
                width=_pixels("Width"), height=_pixels("Height"),
                min_width=_pixels("Smallest width"), max_width=_pixels("Largest width"),
                min_height=_pixels("Smallest height"), max_height=_pixels("Largest height"),
            ),
            "anyOf": [{"required": [name]} for name in _BOUNDS],
        },
    ),
    CheckRecord(
        name="aspect",
        summary="The shape of the input image is kept",
        create=_AspectCheck,
        severity="fail",
        default=True,
        schema=_schema(
            tolerance=_number(
                3, "Percent by which width to height may differ; providers round sizes.", minimum=0
            )
        ),
    ),
    CheckRecord(
        name="format",
        summary="The file is of a type that the recipe allows",
        create=_FormatCheck,
        severity="fail",
        schema={
            **_schema(
                allowed={
                    "type": "array", "minItems": 1, "uniqueItems": True,
                    "items": {"enum": ["jpeg", "png", "webp"]},
                    "description": "Types that are allowed.",
                }
            ),
            "required": ["allowed"],
        },
    ),
    CheckRecord(
        name="alpha",
        summary="Transparency is kept, or is as the recipe says",
        create=_AlphaCheck,
        severity="fail",
        schema=_schema(
            expect={
                "enum": ["source", "transparent", "opaque"], "default": "source",
                "description": "source: as in the input image.",
            }
        ),
    ),
    CheckRecord(
        name="border",
        summary="No border of one colour was added",
        create=_BorderCheck,
        severity="fail",
        default=True,
        schema=_schema(
            at_most=_number(
                0.8, "Widest border that is allowed, in percent of the side.", minimum=0, maximum=25
            )
        ),
    ),
    CheckRecord(
        name="sharpness",
        summary="The fine detail of the input image is still there",
        create=_SharpnessCheck,
        default=True,
        schema=_schema(
            at_least=_number(
                0.55, "How much of the fine detail must be left, as a share.", minimum=0, maximum=1
            )
        ),
    ),
)  # fmt: skip
