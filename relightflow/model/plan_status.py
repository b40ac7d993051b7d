"""How a plan stands against the ledger, before anything is bought."""

from __future__ import annotations

from dataclasses import dataclass

from relightflow.model.catalog import Price
from relightflow.model.evidence import Undecided
from relightflow.model.money import Micros
from relightflow.model.restoration import NOTHING, Restoration


@dataclass(frozen=True, slots=True)
class PlanStatus:
    jobs: int
    """Distinct jobs of the plan."""
    done: int
    """Stored already: nothing will be called."""
    new: int
    """Will be called."""
    collect: int
    """Accepted or paid earlier and not fetched yet: will be collected, not called again."""
    unknown: int
    """May have been billed; held."""
    held_failed: int
    """Paid and failed; not called again automatically."""
    price: Price | None
    """Of the new jobs, in all; None: unknown."""
    unknown_price: Micros
    """What the unknown ones cost at most."""
    restoration: Restoration = NOTHING
    """What a run will put back into the ledger first, because the blob store knows it; counted above."""
    undecided: tuple[Undecided | None, ...] = ()
    """What each of the unknown ones waits for; None: the provider's records were not asked yet."""

    unknown_jobs: tuple[str, ...] = ()
    """Ids of the unknown ones."""
    new_of: tuple[int, ...] = ()
    """Of a recipe with several backends: new jobs of each, in its order; else empty."""
    shared: int = 0
    """In the shared store, as far as it was asked: adopted, not called."""
    disclosures: tuple[str, ...] = ()
    """What becomes of the input images outside this machine, a sentence for each way there."""

    store_fault: str = ""
    """Why the shared store could not be asked; a run would buy nothing then."""
    elsewhere: str = ""
    """Why a run would refuse to buy: what another state has bought; empty where nothing is known."""

    @property
    def work(self) -> bool:
        """Whether a run would do something."""
        return bool(self.new or self.collect or self.shared)
