"""The Runware backend: one task is one billable call, and our UUID is its name.

A task of a name that is used is refused with `conflictTaskUUID`: it was accepted earlier. How long that
holds is not documented, so before a task is sent again its own record is read too. See
docs/reference/runware.md.
"""

from __future__ import annotations

from functools import partial
from uuid import uuid4

from relightflow.backends.history.records import patiently
from relightflow.backends.http.client import encoded
from relightflow.backends.http.key import KeyRing
from relightflow.backends.http.named_backend import NamedBackend, of_resent
from relightflow.backends.runware import models, responses, tasks
from relightflow.backends.runware.hosts import RunwareHosts
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import Evidence, Needs, Undecided
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown, Step
from relightflow.plugins.backend import Call, RecordsQuery, Retry

_REFUSALS = (FailureKind.REFUSED_CELL, FailureKind.BAD_IMAGE)
"""Whether a used name or the task's fields are looked at first is not documented: of a task that was taken
earlier, these of today say nothing."""
_NO_RECORD = "the provider has no record of a task of that name"


class Runware(NamedBackend[RunwareHosts]):
    """Implements Backend, HasLookUp, HasRequestBody and HasServerTime."""

    _usual = RunwareHosts()
    _ring = KeyRing("Runware", "RUNWARE_API_KEY")
    _poller_type = tasks.RunwarePoller
    _patience = 90.0

    async def _greet(self) -> None:
        doing = "asking for the time"
        answer = await tasks.ask(self._api, "getTaskDetails", str(uuid4()), doing)
        failure = responses.of_read(answer, doing)
        if failure.kind is FailureKind.ACCOUNT:
            raise CallFailed(failure)

    def request_body(self, call: Call) -> bytes:
        job = call.job
        return encoded(
            [models.task(job.model, job.parameters, call.prepared, tasks.uuid_of(call.name))]
        )

    async def submit(self, call: Call) -> Step:
        uuid = tasks.uuid_of(call.name)
        if call.prepared is None:  # it may have been taken already, under a name that is forgotten
            found = await tasks.details(self._api, uuid)
            if isinstance(found, Failure):
                raise CallFailed(found)
            if found is not None:
                return found
        answer = await self._api.post_whole(self._hosts.tasks, call.body, self._patience)
        try:
            return responses.of_submit(answer, uuid)
        except CallFailed as error:
            if call.prepared is None:
                raise CallFailed(of_resent(error.failure, *_REFUSALS)) from None
            raise

    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        """By name. That there is no record proves nothing: nobody documents when it appears."""
        adopted: list[tuple[int, Step]] = []
        failed: list[tuple[int, str]] = []
        undecided: list[tuple[int, Undecided]] = []
        for doubt in query.doubts:
            found = await self._looked_up(doubt, retry)
            if isinstance(found, Accepted | ResultKnown):
                adopted.append((doubt.id, found))
            elif isinstance(found, Failure) and found.billed is Billed.NO:
                failed.append((doubt.id, found.message))
            else:
                why = found.message if found else _NO_RECORD
                undecided.append((doubt.id, Undecided(Needs.PERSON, why)))
        return Evidence(tuple(adopted), tuple(failed), (), tuple(undecided), self.server_time())

    async def _looked_up(
        self, doubt: Attempt, retry: Retry
    ) -> Accepted | ResultKnown | Failure | None:
        if not doubt.uuid:
            return None
        uuid = tasks.uuid_of(doubt.uuid)
        return await patiently(partial(tasks.details, self._api, uuid), retry)
