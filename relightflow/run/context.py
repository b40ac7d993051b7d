"""What one run is: the facts and sources of chance that every part of it shares."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from relightflow.model.money import Micros
from relightflow.model.recipe import Limits
from relightflow.run.clock import Clock


@dataclass(frozen=True, slots=True)
class RunContext:
    run_id: str
    recipe: str
    """Its name."""
    backend: str
    """Its name, as the ledger has it."""
    price: Micros
    """The highest price of one call; 0: the backend is free."""
    limits: Limits
    clock: Clock
    rng: Random
    plan_sha256: str = ""
    """Of the plan file that is applied; empty: none."""

    @property
    def free(self) -> bool:
        return self.price == 0
