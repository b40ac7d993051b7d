"""The Replicate backend: one submit is one billable prediction, everything after it is free.

Joins the parts of this folder to the protocol of `relightflow.plugins.backend`; see
docs/reference/replicate.md for what it does on the wire.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from relightflow.backends.history.backend import QueueBackend
from relightflow.backends.http.inputs import PreparedInput, check_is_image
from relightflow.backends.http.key import KeyRing
from relightflow.backends.replicate import files, models, predictions, responses
from relightflow.backends.replicate.history import ReplicateHistory
from relightflow.backends.replicate.hosts import ReplicateHosts
from relightflow.backends.replicate.responses import VERDICTS
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import EXPIRES, Accepted, ResultKnown, Step
from relightflow.plugins.backend import Call


class Replicate(QueueBackend[ReplicateHosts, models.ReplicateRow]):
    """Implements Backend, HasHistory, HasIntentDetails and HasServerTime."""

    _usual = ReplicateHosts()
    _ring = KeyRing("Replicate", "REPLICATE_API_TOKEN", prefix="r8_")
    _poller_type = predictions.ReplicatePoller
    _records_type = ReplicateHistory
    _table = models.TABLE

    async def _greet(self) -> None:
        failure = VERDICTS.of_read(await self._probe(), "asking whose the key is")
        if failure.kind is FailureKind.ACCOUNT:
            raise CallFailed(failure)

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
        row, inputs = self._wire(call)
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
            row = await self._history.by_id(step.request_id)
        except CallFailed:
            return failure
        return responses.lost(step.request_id, row.cost) if row and row.removed else failure

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
