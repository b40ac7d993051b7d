"""Brings back the blob of a finished job that is gone or damaged, from the store that machines share or from where
the result was: fetched again, never bought again."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

from relightflow.errors import DamagedError, StorageError
from relightflow.ledger.reader import open_reader
from relightflow.ledger.rows import JobState
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.job import Job
from relightflow.model.outcome import Outcome, Result
from relightflow.model.step import Completed, ResultKnown
from relightflow.objects.faults import ObjectFault
from relightflow.plugins.backend import Call
from relightflow.run.context import RunContext
from relightflow.run.input_cache import InputCache
from relightflow.run.lazy_backend import LazyBackend
from relightflow.run.shared.client import SharedStoreClient
from relightflow.store.blobs import BlobStore, MissingBlob, put_aside, read
from relightflow.store.index_entry import job_facts


@dataclass(frozen=True, slots=True)
class BlobRestorer:
    context: RunContext
    backend: LazyBackend
    inputs: InputCache
    ledger_path: Path
    blobs: BlobStore
    blobs_path: Path
    shared: SharedStoreClient | None = None
    """None: there is no store that other machines share."""

    async def restore(self, job: Job, state: JobState) -> Outcome:
        """The very bytes that `state` names, back in the store; else the job is damaged."""
        assert state.result
        data = await self._fetched_again(job, state.attempt_id, state.result)
        if data is None:
            failure = Failure(
                FailureKind.DAMAGED,
                f"the stored result {state.result.sha256[:16]} is lost or damaged and cannot be "
                "fetched again; it was paid for and is not bought again automatically. Restore "
                "the blob from a backup, or buy it again with 'relightflow resolve --resubmit'",
                state.billed,
            )
            return Outcome(job, state.attempt_id, failure=failure)
        await self.blobs.put(data, job_facts(job, state.price))
        return Outcome(job, state.attempt_id, state.result)

    async def _fetched_again(self, job: Job, attempt_id: int, result: Result) -> bytes | None:
        """None where nobody has the bytes any more."""
        data: bytes | None
        try:
            data = await asyncio.to_thread(read, self.blobs_path, result.sha256)
        except DamagedError as error:
            if not isinstance(error, MissingBlob):  # out of the way, so that it counts as lost
                await asyncio.to_thread(put_aside, self.blobs_path, result.sha256)
            data = await self._from_store(result.sha256)
            if data is None:
                data = await self._from_backend(job, attempt_id)
        return data if data and hashlib.sha256(data).hexdigest() == result.sha256 else None

    async def _from_store(self, sha256: str) -> bytes | None:
        """As this machine or another one has published them."""
        if self.shared is None:
            return None
        try:
            return await self.shared.ask(lambda store: store.blob(sha256))
        except (ObjectFault, StorageError):
            return None

    async def _from_backend(self, job: Job, attempt_id: int) -> bytes | None:
        backend = await self.backend.get()
        try:
            if self.context.free:
                step = await backend.submit(Call(job, await self.inputs.prepared(job.image)))
                while not isinstance(step, Completed):
                    step = await backend.collect(step)
            else:
                with open_reader(self.ledger_path) as reader:
                    attempt = reader.attempt(attempt_id)
                if attempt is None or not attempt.url:
                    return None
                known = ResultKnown(attempt.request_id, attempt.url, attempt.cost, attempt.details)
                step = await backend.collect(known)
        except CallFailed:
            return None
        return step.data if isinstance(step, Completed) else None
