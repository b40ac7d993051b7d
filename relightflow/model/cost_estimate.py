"""What a run would cost now, and whether the cap allows it: shown by `plan`, obeyed by `run`."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.catalog import Price
from relightflow.model.money import Micros
from relightflow.model.spending import SpendLimit
from relightflow.model.time_estimate import TimeEstimate


@dataclass(frozen=True, slots=True)
class LimitStatus:
    limit: SpendLimit
    committed: Micros
    """Counts against it already: spent, in flight, unknown, adopted."""

    @property
    def left(self) -> Micros:
        return max(0, self.limit.amount - self.committed)


@dataclass(frozen=True, slots=True)
class BackendEstimate:
    """What one of several backends would cost."""

    label: str
    """What the recipe calls it."""
    calls: int
    """Of new jobs."""
    price: Price | None
    """Of those calls; None: unknown."""
    call: Price | None
    """Of one call, by the price list or as the operator said; None: unknown."""
    reserved: Micros
    """What one call is reserved at."""
    share: LimitStatus | None = None
    """Of the recipe's cap, where the backend may have only a share."""


@dataclass(frozen=True, slots=True)
class CostEstimate:
    calls: int
    """Calls that a run would make: new jobs, and unknown ones where the recipe resubmits them."""
    price: Price | None
    """Of those calls; None: unknown."""
    limits: tuple[LimitStatus, ...] = ()
    """The one with the least left comes first."""
    call: Price | None = None
    """Of one call, by the price list or as the operator said; None: unknown."""
    reserved: Micros = 0
    """What one call is reserved at: its highest price, or the highest cost ever seen."""
    time: TimeEstimate | None = None
    """How long those calls take; None: there are none, or nobody asked."""
    backends: tuple[BackendEstimate, ...] = ()
    """Of a recipe with several, in its order; else empty."""

    @property
    def paid(self) -> bool:
        """Whether money could be spent: an unknown price counts as money."""
        return bool(self.calls) and not (self.price is not None and self.price.free)

    @property
    def enough(self) -> bool:
        """Whether the limits, or their absence, let all calls be made at their highest price."""
        if not self.paid:
            return True
        if self.price is None or not self.limits:
            return False
        return all(self.price.high <= status.left for status in self.limits)
