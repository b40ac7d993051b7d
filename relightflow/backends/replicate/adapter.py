"""The Replicate backend: one submit is one billable prediction, everything after it is free.

Joins the parts of this folder to the protocol of `relightflow.plugins.backend`; see
docs/reference/replicate.md for what it does on the wire.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace
from datetime import UTC, datetime

from relightflow.backends.http.inputs import PreparedInput, check_is_image
from relightflow.backends.http.key import KeyRing
from relightflow.backends.http.queue_backend import QueueBackend
from relightflow.backends.replicate import files, models, predictions, responses
from relightflow.backends.replicate.history import ReplicateHistory
from relightflow.backends.replicate.hosts import ReplicateApi, ReplicateHosts, from_environment
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import EXPIRES, Accepted, ResultKnown, Step
from relightflow.plugins.backend import Call
from relightflow.plugins.records import BackendContext

RING = KeyRing("Replicate", "REPLICATE_API_TOKEN", prefix="r8_")


class Replicate(QueueBackend[ReplicateHosts, ReplicateHistory]):
    """Implements Backend, HasHistory, HasIntentDetails and HasServerTime."""

    @classmethod
    def from_environment(cls, context: BackendContext) -> Replicate:
        """Raises `UsageError` for an override that is no server's address."""
        where = from_environment(os.environ, context.operator.output_hosts)
        return cls(context, RING.read, where)

    async def _greet(self) -> None:
        doing = "asking Replicate whose the key is"
        answer = await self._api.read("GET", self._hosts.account, doing)
        failure = responses.of_read(answer, doing)
        if answer.status != 200 and failure.kind is FailureKind.ACCOUNT:
            raise CallFailed(failure)

    def _new_poller(self, api: ReplicateApi) -> predictions.ReplicatePoller:
        clock = self._clock
        return predictions.ReplicatePoller(
            api, self._pace, self._tell, clock.sleep, clock.monotonic, clock.wall
        )

    def _new_history(self, api: ReplicateApi) -> ReplicateHistory:
        return ReplicateHistory(api, forgets=math.isinf(self._hosts.settling))

    @property
    def _upload_place(self) -> str:
        return self._hosts.files

    async def _upload(self, image: Image, data: bytes) -> str:
        return await files.upload(self._api, image, data)

    async def prepare(self, image: Image, data: bytes) -> PreparedInput:
        """Refuses what is no image before anything is sent: a call that fails on it is billed."""
        check_is_image(image, data)
        return await super().prepare(image, data)

    async def submit(self, call: Call) -> Step:
        given: PreparedInput = call.prepared
        row = models.row(call.job.model)
        if row is None:
            words = f"Replicate's table has no model '{call.job.model}'"
            raise CallFailed(Failure(FailureKind.REFUSED_MODEL, words))
        inputs = {row.image_field: given.value, **call.job.parameters}
        return await predictions.submit(self._api, row, inputs, self._clock.wall())

    async def _poll(self, step: Accepted) -> Step:
        try:
            return await super()._poll(step)
        except CallFailed as error:
            raise CallFailed(_by_when(error.failure, step)) from None

    async def collect(self, step: Step) -> Step:
        try:
            return await super().collect(step)
        except CallFailed as error:
            failure = error.failure
            if not isinstance(step, ResultKnown):
                raise
            if failure.kind is FailureKind.EXPIRED:
                failure = await self._gone(step, failure)
            raise CallFailed(_by_when(failure, step)) from None

    async def _gone(self, step: ResultKnown, failure: Failure) -> Failure:
        """The file is not where it was: certainly lost only where Replicate says that it deleted it."""
        try:
            _, found = await self._new_poller(self._api).read(step)
        except CallFailed:
            return failure
        return responses.lost(found, step.request_id) if responses.removed(found) else failure

    def fetcher(self, step: ResultKnown) -> None:
        """A result may ask for the key, which stays on this machine."""


def _by_when(failure: Failure, step: Accepted | ResultKnown) -> Failure:
    """What is left for the next run, with the time by which it must run."""
    until = step.details.get(EXPIRES)
    if failure.kind is not FailureKind.PENDING or not isinstance(until, int | float):
        return failure
    at = datetime.fromtimestamp(until, UTC).strftime("%H:%M UTC")
    words = f"{failure.message}. Replicate deletes the result an hour after the call: run again before {at}"
    return replace(failure, message=words)
