"""What the shared store has of a plan, asked before anything is bought and without taking it over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

from relightflow.ledger.reader import Reader
from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.job import Job
from relightflow.objects.faults import ObjectFault
from relightflow.run.shared.claims import is_own
from relightflow.run.shared.costs import NO_SPENDING, StoreSpending, store_spending
from relightflow.store.entries import DamagedEntry
from relightflow.store.index_entry import job_facts
from relightflow.store.shared import SharedStore

_THREADS = 32


class Elsewhere(Enum):
    """What another machine has of a job."""

    FINISHED = "finished"
    IN_FLIGHT = "in flight"
    """Claimed: bought at this moment, or before by a machine that did not tell what came of it."""
    FAILED = "failed"
    """Paid, without an image, or with one that is damaged."""


class StoreView:
    """Answers about jobs. After the first fault the store is not asked again."""

    def __init__(self, store: SharedStore | None) -> None:
        self._store = store
        self.fault = ""
        """Why it cannot be read, once that is known; a run would buy nothing then."""

    def __str__(self) -> str:
        return str(self._store)

    def ask(self, jobs: Sequence[Job], reader: Reader) -> Mapping[str, Elsewhere]:
        """Key of a job → what another machine has of it. `reader`: of this machine's ledger. Blocks.

        Raises StorageError where the place is no store."""
        if self._store is None or self.fault or not jobs:
            return {}
        try:
            with ThreadPoolExecutor(_THREADS, thread_name_prefix="shared") as pool:
                answers = list(pool.map(self._one, jobs))
        except ObjectFault as fault:
            self.fault = str(fault)
            return {}
        told = ((job, _elsewhere(said, reader)) for job, said in zip(jobs, answers, strict=True))
        return {job.key: said for job, said in told if said}

    def spending(self, reader: Reader) -> StoreSpending:
        """What other machines have paid through the store, or may have. Blocks.

        Raises StorageError where the place is no store."""
        if self._store is None or self.fault:
            return NO_SPENDING
        try:
            return store_spending(self._store.spending(), reader)
        except ObjectFault as fault:
            self.fault = str(fault)
            return NO_SPENDING

    def _one(self, job: Job) -> Elsewhere | JobClaim | None:
        assert self._store
        label = job_facts(job, 0)
        try:
            if self._store.finished(label):
                return Elsewhere.FINISHED
        except DamagedEntry:
            return Elsewhere.FAILED
        return self._store.claims.of(label)


def _elsewhere(said: Elsewhere | JobClaim | None, reader: Reader) -> Elsewhere | None:
    if not isinstance(said, JobClaim):
        return said
    if is_own(said, reader):
        return None
    return Elsewhere.FAILED if said.state is State.FAILED else Elsewhere.IN_FLIGHT
