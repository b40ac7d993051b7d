"""The Runware backend: one task is one billable call, and our UUID is its name.

A task of a name that is used is refused with `conflictTaskUUID`: it was accepted earlier. How long that
holds is not documented, so before a task is sent again its own record is read too. See
docs/reference/runware.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

from relightflow.backends.http.client import encoded
from relightflow.backends.http.key import KeyRing
from relightflow.backends.http.named_backend import NamedBackend, of_resent
from relightflow.backends.http.polling import ClockFunctions
from relightflow.backends.http.response import Response
from relightflow.backends.http.verdicts import still_open
from relightflow.backends.runware import models, responses
from relightflow.backends.runware.hosts import RunwareHosts, from_environment
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import Evidence, Needs, Undecided
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted, ResultKnown, Step
from relightflow.plugins.backend import Call, RecordsQuery, Retry
from relightflow.plugins.records import BackendContext

RING = KeyRing("Runware", "RUNWARE_API_KEY")
_SUBMIT_SECONDS = 90.0
_RECORD_CAP = 128 << 20
"""Bytes: a task's record holds the whole request, image included."""
_NO_RECORD = "the provider has no record of a task of that name"


class Runware(NamedBackend[RunwareHosts]):
    """Implements Backend, HasLookUp, HasRequestBody and HasServerTime."""

    def __init__(
        self,
        context: BackendContext,
        key: Callable[[Callable[[str], None]], str],
        hosts: RunwareHosts,
        clock: ClockFunctions | None = None,
    ) -> None:
        super().__init__(context, key, hosts, clock)
        self._waits: dict[str, Iterator[float]] = {}

    @classmethod
    def from_environment(cls, context: BackendContext) -> Runware:
        """Raises `UsageError` for an override that is no server's address."""
        where = from_environment(os.environ, context.operator.output_hosts)
        return cls(context, RING.read, where)

    async def _greet(self) -> None:
        answer = await self._ask("getTaskDetails", str(uuid4()), "asking for the time")
        if (
            failure := responses.of_read(answer, "asking for the time")
        ).kind is FailureKind.ACCOUNT:
            raise CallFailed(failure)

    def request_body(self, call: Call) -> bytes:
        job = call.job
        return encoded([models.task(job.model, job.parameters, call.prepared, _uuid(call.name))])

    async def submit(self, call: Call) -> Step:
        uuid = _uuid(call.name)
        if call.prepared is None:  # it may have been taken already, under a name that is forgotten
            found = await self._details(uuid)
            if isinstance(found, Failure):
                raise CallFailed(found)
            if found is not None:
                return found
        answer = await self._api.post_whole(self._hosts.tasks, call.body, _SUBMIT_SECONDS)
        try:
            return responses.of_submit(answer, uuid)
        except CallFailed as error:
            if call.prepared is None:
                raise CallFailed(of_resent(error.failure)) from None
            raise

    async def _poll(self, step: Accepted) -> Step:
        uuid = step.request_id
        answer = await self._still(uuid, "getResponse")
        known = responses.of_poll(answer, uuid, self._next_poll(uuid))
        if known is None:  # it is no active task (any more): its record may have the result
            known = await self._recorded(uuid)
        self._waits.pop(uuid, None)
        return known

    def _next_poll(self, uuid: str) -> float:
        """Seconds after which an unfinished task is asked for again."""
        if uuid not in self._waits:
            self._waits[uuid] = self._pace.waits()
        return next(self._waits[uuid])

    async def _recorded(self, uuid: str) -> ResultKnown:
        """Raises CallFailed: EXPIRED where there is no record."""
        answer = await self._still(uuid, "getTaskDetails")
        try:
            found = responses.of_details(answer, uuid)
        except CallFailed as error:
            raise CallFailed(still_open(error.failure, uuid)) from None
        if isinstance(found, ResultKnown):
            return found
        if isinstance(found, Failure):
            raise CallFailed(found)
        if found is None:
            words = "Runware has no record of the task (any more)"
            raise CallFailed(
                Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN, 404, request_id=uuid)
            )
        words = "Runware accepted the task and has no result yet"
        wait = self._next_poll(uuid)
        raise CallFailed(
            Failure(FailureKind.PENDING, words, Billed.UNKNOWN, retry_after=wait, request_id=uuid)
        )

    async def _still(self, uuid: str, task: str) -> Response:
        """Ask about an accepted task; a look that fails leaves it open. Raises CallFailed."""
        try:
            return await self._ask(task, uuid, "polling Runware")
        except CallFailed as error:
            raise CallFailed(still_open(error.failure, uuid)) from None

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
        while True:
            try:
                return await self._details(_uuid(doubt.uuid))
            except CallFailed as error:
                await retry(error.failure)

    async def _details(self, uuid: str) -> Accepted | ResultKnown | Failure | None:
        """Raises CallFailed where the record cannot be read."""
        answer = await self._ask("getTaskDetails", uuid, "looking a task up")
        return responses.of_details(answer, uuid)

    async def _ask(self, task: str, uuid: str, doing: str) -> Response:
        """A free task's answer, whatever it says. Raises CallFailed."""
        body: list[Any] = [{"taskType": task, "taskUUID": uuid}]
        return await self._api.read("POST", self._hosts.tasks, doing, body=body, cap=_RECORD_CAP)


def _uuid(name: str) -> str:
    """Our name for a call in the form that the provider wants."""
    return str(UUID(hex=name))
