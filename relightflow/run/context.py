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
from relightflow.run.clock import Clock
from relightflow.run.counters import Counters
from relightflow.run.input_cache import InputCache
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.circuit_breaker import CircuitBreaker, Refusals
from relightflow.run.limits.guards import DiskGuard, ExpiryGuard
from relightflow.run.limits.rate_limit import RateLimiter
from relightflow.run.shared.client import SharedStoreClient
from relightflow.run.shutdown import Shutdown
from relightflow.store.blobs import BlobStore


@dataclass(frozen=True, slots=True)
class RunContext:
    run_id: str
    backend: LazyBackend
    backend_name: str
    inputs: InputCache
    ledger: Ledger
    ledger_path: Path
    blobs: BlobStore
    blobs_path: Path
    price: Micros
    """The highest price of one call."""
    keeps_requests: float
    """Seconds for which the provider remembers an accepted request; inf: for ever."""
    limits: Limits
    expiry_guard: ExpiryGuard
    disk_guard: DiskGuard
    rate_limiter: RateLimiter | None
    """None: the backend has no account to be gentle with."""
    circuit_breaker: CircuitBreaker
    refusals: Refusals
    budget: Budget
    shutdown: Shutdown
    counters: Counters
    clock: Clock
    rng: Random = field(default_factory=Random)
    shared: SharedStoreClient | None = None
    """The store that machines share; None: there is none, or it is not for what is free."""

    @property
    def free(self) -> bool:
        return self.price == 0


def index_facts(job: Job, price: Micros) -> Mapping[str, Any]:
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
