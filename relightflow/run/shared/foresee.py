"""What the shared store has of a plan, asked before anything is bought and without taking it over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

from relightflow.model.job import Job
from relightflow.objects.faults import ObjectFault
from relightflow.store.index_entry import job_facts
from relightflow.store.shared import SharedStore

_THREADS = 32


class Elsewhere(Enum):
    """What another machine has of a job."""

    FINISHED = "finished"
    IN_FLIGHT = "in flight"


class StoreView:
    """Answers about jobs. After the first fault the store is not asked again."""

    def __init__(self, store: SharedStore | None) -> None:
        self._store = store
        self.fault = ""
        """Why it cannot be read, once that is known; a run would buy nothing then."""

    def __str__(self) -> str:
        return str(self._store)

    def ask(self, jobs: Sequence[Job]) -> Mapping[str, Elsewhere]:
        """Key of a job → what another machine has of it. Blocks."""
        if self._store is None or self.fault or not jobs:
            return {}
        try:
            with ThreadPoolExecutor(_THREADS, thread_name_prefix="shared") as pool:
                answers = list(pool.map(self._one, jobs))
        except ObjectFault as fault:
            self.fault = str(fault)
            return {}
        return {job.key: said for job, said in zip(jobs, answers, strict=True) if said}

    def _one(self, job: Job) -> Elsewhere | None:
        assert self._store
        label = job_facts(job, 0)
        if self._store.finished(label):
            return Elsewhere.FINISHED
        return Elsewhere.IN_FLIGHT if self._store.accepted(label) else None
