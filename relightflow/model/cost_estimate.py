"""What a run would cost now, and whether the cap allows it: shown by `plan`, obeyed by `run`."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.catalog import Price
from relightflow.model.money import Micros


@dataclass(frozen=True, slots=True)
class CostEstimate:
    calls: int
    """Calls that a run would make: new jobs, and unknown ones where the recipe resubmits them."""
    price: Price | None
    """Of those calls; None: unknown."""
    committed: Micros
    """Counts against the cap already: spent by the run that would be resumed, in flight, unknown."""
    cap: Micros | None = None
    cap_source: str = ""

    @property
    def paid(self) -> bool:
        """Whether money could be spent: an unknown price counts as money."""
        return bool(self.calls) and not (self.price is not None and self.price.free)

    @property
    def enough(self) -> bool:
        """Whether the cap, or its absence, lets all calls be made at their highest price."""
        if not self.paid:
            return True
        if self.price is None or self.cap is None:
            return False
        return self.committed + self.price.high <= self.cap
