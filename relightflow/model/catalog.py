"""What a backend offers: models, their parameters, and what a call costs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from relightflow.model.light import LIGHT, LIGHT_SUMMARIES, LightTable
from relightflow.model.money import Micros
from relightflow.model.values import FrozenMap, Parameters, Scalar

Kind = Literal["choice", "integer", "number", "text"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing a model lets the caller choose: an axis of the matrix."""

    name: str
    """What a recipe writes as the axis."""
    kind: Kind = "choice"
    """`choice`, `integer`, `number` or `text`."""
    values: tuple[Scalar, ...] = ()
    """Allowed values of a choice, in the provider's order; `all` means these."""
    default: Scalar = None
    """Used where a recipe says nothing. None: the parameter is then left out of the call."""
    required: bool = False
    """True: a recipe must give it, there is no default."""
    minimum: float | None = None
    """Of a number, inclusive; None: unbounded."""
    maximum: float | None = None
    """Of a number, inclusive; None: unbounded."""
    step: float | None = None
    """Values are `minimum` + n × `step`, where given."""
    summary: str = ""
    """One line for the reference."""

    def problem(self, value: Scalar) -> str | None:
        """Why `value` is not allowed, with what would be; None where it is allowed."""
        if self.kind == "choice":
            same = any(value == v and type(value) is type(v) for v in self.values)
            return None if same else f"is not allowed; allowed: {', '.join(map(str, self.values))}"
        if self.kind == "text":
            return None if isinstance(value, str) else "is not allowed; allowed: text"
        return self._number_problem(value)

    def taken(self, value: Scalar) -> Scalar:
        """`value`, or the default in place of a choice that there is not."""
        given = self.kind != "choice" or not self.values or value in self.values
        return value if given else self.default

    def _number_problem(self, value: Scalar) -> str | None:
        whole = self.kind == "integer"
        number = isinstance(value, int) if whole else isinstance(value, int | float)
        if not number or isinstance(value, bool):
            return f"is not allowed; allowed: {self.range_text()}"
        assert isinstance(value, int | float)
        low, high = self.minimum, self.maximum
        in_range = (low is None or value >= low) and (high is None or value <= high)
        finite = isinstance(value, int) or math.isfinite(value)  # an integer may be beyond a float
        if finite and in_range and self._on_step(value):
            return None
        return f"is not allowed; allowed: {self.range_text()}"

    def _on_step(self, value: float) -> bool:
        """Whether `value` is a step, but for the last digits of a float: 0.3 is one of 0.1."""
        if self.step is None:
            return True
        step = Fraction(self.step)
        past = (Fraction(value) - Fraction(self.minimum or 0)) % step
        return min(past, step - past) <= step / 10**9

    def range_text(self) -> str:
        """The allowed values in words, such as `an integer from 256 to 1024 in steps of 64`."""
        if self.kind == "choice":
            return ", ".join(map(str, self.values))
        if self.kind == "text":
            return "text"
        words = "an integer" if self.kind == "integer" else "a number"
        if self.minimum is not None:
            words += f" from {self.minimum:g}"
        if self.maximum is not None:
            words += f" to {self.maximum:g}"
        if self.step is not None:
            words += f" in steps of {self.step:g}"
        return words


@dataclass(frozen=True, slots=True)
class Price:
    """What one call costs, in micro-dollars: a range where it depends on the outcome."""

    low: Micros
    """Micro-dollars."""
    high: Micros
    """Micro-dollars; what is reserved against the cap."""

    @property
    def free(self) -> bool:
        """Whether a call costs nothing."""
        return self.high == 0

    def times(self, count: int) -> Price:
        """The price of `count` calls."""
        return Price(self.low * count, self.high * count)

    def __add__(self, other: Price) -> Price:
        return Price(self.low + other.low, self.high + other.high)


FREE = Price(0, 0)


@dataclass(frozen=True, slots=True)
class MegapixelPrice:
    """What a provider charges by the size of an image.

    Which size, and how a part of a megapixel is counted, providers seldom say. So a call costs at least
    the exact part of the smaller of input and result, and at most all begun megapixels of the larger.
    """

    unit: Price
    """Of one megapixel, in micro-dollars."""
    parameter: str = ""
    """Which parameter sets the size of the result; empty, or not given: it is as large as the input."""
    sizes: tuple[tuple[Scalar, int], ...] = ()
    """What that parameter's values stand for, in pixels."""

    def call(self, pixels: int, value: Scalar = None) -> Price:
        """The price of a call for an image of `pixels`, where the parameter is `value`."""
        result = dict(self.sizes).get(value, pixels)
        low = self.unit.low * min(pixels, result) // _LARGEST_MEGAPIXEL
        high = self.unit.high * -(-max(pixels, result) // _SMALLEST_MEGAPIXEL)
        return Price(low, high)


_SMALLEST_MEGAPIXEL, _LARGEST_MEGAPIXEL = 1_000_000, 1 << 20
"""Pixels; both are called a megapixel."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a backend: a row of its table."""

    name: str
    """What a recipe writes as `backend.model`."""
    parameters: tuple[Parameter, ...]
    """In the order in which they are sent."""
    price: Price | None
    """Of one call. None: unknown, so a run is refused unless the operator gives one."""
    typical_seconds: float | None = None
    """Of one call; None: not known."""
    summary: str = ""
    """One line for the reference and `relightflow plugins`."""
    by_size: MegapixelPrice | None = None
    """Where a call is charged by the size of its image: how. `price` is then that of a call for one
    megapixel until a plan knows its images, and the range over all its calls from then on."""
    light: LightTable | None = None
    """What is sent for the four axes of light; None: the model takes them as they are, or not at all."""
    wire: FrozenMap = field(default_factory=FrozenMap, repr=False)
    """What only the adapter needs of a model that the operator declared; empty for its own."""

    def axis(self, name: str) -> Parameter | None:
        """What a recipe may write as an axis of that name: a parameter, or an axis of light with all its
        values, whether the model can do them or not. None: there is none."""
        own = self.parameter(name)
        if self.light is None or name not in self.light.axes():
            return own
        if own is None:
            return Parameter(name, values=LIGHT[name], summary=LIGHT_SUMMARIES[name])
        more = tuple(value for value in LIGHT[name] if value not in own.values)
        return replace(own, values=own.values + more)

    @property
    def axes(self) -> tuple[Parameter, ...]:
        """Everything that `axis` knows: axes of light that are no parameters, then the parameters."""
        light = self.light.axes() if self.light else ()
        names = dict.fromkeys((*light, *(p.name for p in self.parameters)))
        return tuple(found for name in names if (found := self.axis(name)))

    def parameter(self, name: str) -> Parameter | None:
        """The parameter with that name; None: there is none."""
        return next((p for p in self.parameters if p.name == name), None)

    def normalise(self, cell: Parameters) -> Parameters:
        """What is sent for `cell`: this model's parameters in its own order, light as its table says,
        defaults filled in.

        Parameters that the model does not know are left out, and of a choice that it does not have it
        takes the default: a recipe checks both at load time; a preview of another backend's recipe drops
        them on purpose.
        """
        if self.light is not None:
            cell = self.light.sent(cell)
        values = {p.name: p.taken(cell.get(p.name, p.default)) for p in self.parameters}
        return FrozenMap({name: value for name, value in values.items() if value is not None})
