"""What one run is: the facts and sources of chance that every part of it shares."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from relightflow.model.catalog import MegapixelPrice, Price
from relightflow.model.job import Job
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
    least: Micros | None = None
    """The lowest price of one call; None: as the highest."""
    by_size: MegapixelPrice | None = None
    """How a call is charged by the size of its image, where it is."""

    def price_of(self, job: Job) -> Price:
        """Of a call for `job`: its own where its image's size sets it, and that is known; else the model's."""
        pixels = job.image.width * job.image.height
        if self.by_size is None or not pixels:
            return Price(self.price if self.least is None else self.least, self.price)
        return self.by_size.call(pixels, job.parameters.get(self.by_size.parameter))

    @property
    def free(self) -> bool:
        return self.price == 0
