"""What a call of a model is taken to cost, by the price list and by all costs that were seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from relightflow.model.money import Micros


@dataclass(frozen=True, slots=True)
class CallWorth:
    """Of one model. Amounts in micro-dollars."""

    highest: Micros
    """Of any call."""
    rise: Fraction | None
    """Of calls that have a price each: how much dearer than that one was, 1 at least. None: they have one price."""

    def of(self, price: Micros) -> Micros:
        """A call with that price."""
        return self.highest if self.rise is None else math.ceil(price * self.rise)

    def after(self, price: Micros, cost: Micros) -> CallWorth:
        """The same, once a call with that price was charged `cost`."""
        if self.rise is None:
            return replace(self, highest=cost) if cost > self.highest else self
        return replace(self, rise=max(self.rise, Fraction(cost, price))) if price else self
