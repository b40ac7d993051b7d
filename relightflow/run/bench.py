"""The workbench: all that the life of a job works with, handed in once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from relightflow.ledger.ledger import Ledger
from relightflow.model.job import Job
from relightflow.model.money import Micros
from relightflow.model.recipe import Limits
from relightflow.run.board import Board
from relightflow.run.brake import Brake
from relightflow.run.breaker import Breaker, Refusals
from relightflow.run.budget import Budget
from relightflow.run.clock import Clock
from relightflow.run.gate import Gate
from relightflow.run.guards import Accepted, Room
from relightflow.run.inputs import Inputs
from relightflow.run.ondemand import OnDemand
from relightflow.run.shared import Shared
from relightflow.store.blobs import BlobStore


@dataclass(frozen=True, slots=True)
class Bench:
    run_id: str
    backend: OnDemand
    backend_name: str
    inputs: Inputs
    ledger: Ledger
    ledger_path: Path
    blobs: BlobStore
    blobs_path: Path
    price: Micros
    """The highest price of one call."""
    keeps_requests: float
    """Seconds for which the provider remembers an accepted request; inf: for ever."""
    limits: Limits
    accepted: Accepted
    room: Room
    gate: Gate | None
    """None: the backend has no account to be gentle with."""
    breaker: Breaker
    refusals: Refusals
    budget: Budget
    brake: Brake
    board: Board
    clock: Clock
    rng: Random = field(default_factory=Random)
    shared: Shared | None = None
    """The store that machines share; None: there is none, or it is not for what is free."""

    @property
    def free(self) -> bool:
        return self.price == 0


def label(job: Job, price: Micros) -> Mapping[str, Any]:
    """What the blob store's index says of a job, so that a lost ledger can be made anew."""
    return {
        "key": job.key,
        "backend": job.backend,
        "model": job.model,
        "image_sha256": job.image.sha256,
        "parameters": job.parameters,
        "repeat": job.repeat,
        "price": price,
    }
