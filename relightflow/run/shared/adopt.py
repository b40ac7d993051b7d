"""Takes over what other machines finished or have in flight, before anything is bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from relightflow.errors import StorageError
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import Reader, open_reader
from relightflow.ledger.rows import Restored
from relightflow.model.attempt import State
from relightflow.model.failure import Billed
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome, Result
from relightflow.model.step import Accepted
from relightflow.model.summary import Issue
from relightflow.model.values import FrozenMap
from relightflow.objects.faults import ObjectFault
from relightflow.run.context import RunContext
from relightflow.run.jobs.active_attempt import AttemptRecorder
from relightflow.run.jobs.collect import Collector
from relightflow.run.shared.client import SharedStoreClient
from relightflow.store.blobs import BlobStore, read
from relightflow.store.index_entry import job_facts, result_facts

ORIGIN = "shared"
"""`details.origin` of an attempt that another machine made."""


class SharedStoreUnavailable(Exception):
    """The shared store did not answer, so nothing may be bought."""


@dataclass(frozen=True, slots=True)
class SharedResults:
    """Results and calls under way that other machines put into the shared store, and ours for them."""

    context: RunContext
    client: SharedStoreClient
    ledger: Ledger
    blobs: BlobStore
    blobs_path: Path
    collector: Collector
    recorder: AttemptRecorder

    async def adopt(self, job: Job) -> Outcome | None:
        """What another machine made of `job`, or has in flight; None: nothing.

        Raises SharedStoreUnavailable.
        """
        facts = job_facts(job, self.context.price)
        try:
            found = await self.client.finished(facts)
            if found:
                return await self._keep(job, *found)
            under_way = await self.client.accepted(facts)
        except ObjectFault as error:
            said = error.as_error
            self.recorder.shutdown.stop_new(
                Issue(
                    said.exit_code,
                    f"the shared store could not be read, so nothing more was bought: {said}. Use "
                    "--store-mode off to run without it",
                )
            )
            raise SharedStoreUnavailable from error
        except StorageError as error:
            return self.recorder.storage_failed(job, error)
        return await self._collect(job, *under_way) if under_way else None

    def publish_if_missing(self, reader: Reader, job: Job, result: Result | None) -> None:
        """Publish what is in the local store, unless the shared one was told of it already."""
        if result and self.client.write and not self.client.is_published(reader, job.key):
            kept = {k: v for k, v in result.details.items() if k != "origin"}
            facts = {**result_facts(result, result.cost), "details": kept}
            self.client.publish(
                {**job_facts(job, self.context.price), **facts},
                partial(read, self.blobs_path, result.sha256),
                self.ledger.remember,
            )

    async def _keep(self, job: Job, result: Result, data: bytes) -> Outcome:
        """Into the local store first, then into the ledger; not billed here, its cost is known."""
        uuid = uuid4().hex
        label = {**job_facts(job, self.context.price), **self.recorder.call_log.origin(uuid)}
        facts = {**result_facts(result, result.cost), "billed": Billed.NO}
        await self.blobs.put(data, {**label, **facts})
        attempt = await self._restore(job, State.STORED, Billed.NO, uuid, _of_result(result))
        return Outcome(job, attempt, result)

    async def _collect(self, job: Job, step: Accepted, at: float) -> Outcome | None:
        """Go on with another machine's call, as with one of an earlier run."""
        uuid = uuid4().hex
        facts = {"request_id": step.request_id, "details": step.details}
        number = await self._restore(job, State.ACCEPTED, Billed.UNKNOWN, uuid, facts)
        self.recorder.budget.adopt(self.context.price)
        self.recorder.call_log.takeover(job, uuid, step, at)
        with open_reader(self.ledger.path) as reader:
            attempt = reader.attempt(number)
        assert attempt
        age = max(0.0, self.context.clock.wall() - at)
        return await self.collector.resume(job, attempt, step, age)

    async def _restore(
        self, job: Job, state: State, billed: Billed, uuid: str, facts: Mapping[str, Any]
    ) -> int:
        """A row of the ledger for what another machine did; its id."""
        row = Restored(
            job_key=job.key,
            run_id=self.context.run_id,
            state=state,
            billed=billed,
            backend=job.backend,
            model=job.model,
            image_sha256=job.image.sha256,
            parameters=job.parameters,
            repeat=job.repeat,
            price=self.context.price,
            uuid=uuid,
            **facts,
        )
        return await self.ledger.restore(row)


def _of_result(result: Result) -> dict[str, Any]:
    """A result's facts, as the ledger names them."""
    details = FrozenMap({**result.details, "origin": ORIGIN})
    return {**result_facts(result, result.cost), "blob": result.sha256, "details": details}
