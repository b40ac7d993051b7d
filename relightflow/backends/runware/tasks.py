"""Tasks of Runware: how one is asked for, and how an accepted one is followed to its result."""

from __future__ import annotations

from uuid import UUID

from relightflow.backends.http.client import Api
from relightflow.backends.http.queue import Finished, QueuePoller, Repeats
from relightflow.backends.http.response import Response
from relightflow.backends.http.verdicts import still_open
from relightflow.backends.runware import responses
from relightflow.backends.runware.hosts import RunwareHosts
from relightflow.model.failure import CallFailed, Failure
from relightflow.model.step import Accepted, ResultKnown

_RECORD_CAP = 128 << 20
"""Bytes: a task's record holds the whole request, image included."""


def uuid_of(name: str) -> str:
    """Our name for a call in the form that the provider wants."""
    return str(UUID(hex=name))


async def ask(api: Api[RunwareHosts], task: str, uuid: str, doing: str) -> Response:
    """A free task's answer, whatever it says. Raises `CallFailed`."""
    body = [{"taskType": task, "taskUUID": uuid}]
    return await api.read("POST", api.hosts.tasks, doing, body=body, cap=_RECORD_CAP)


async def details(api: Api[RunwareHosts], uuid: str) -> Accepted | ResultKnown | Failure | None:
    """What the task's own record says; None: there is none. Raises `CallFailed` where it cannot be read."""
    answer = await ask(api, "getTaskDetails", uuid, "looking a task up")
    return responses.of_details(answer, uuid)


class RunwarePoller(QueuePoller[RunwareHosts]):
    """Follows accepted tasks to their result."""

    longest = 3600.0

    async def _look(self, step: Accepted, repeats: Repeats) -> Finished | None:  # noqa: ARG002  one answer is enough here
        uuid = step.request_id
        try:
            answer = await ask(self.api, "getResponse", uuid, "polling Runware")
            found = responses.of_poll(answer, uuid)
            if found is None:  # it is no active task (any more): its record may have the result
                found = await details(self.api, uuid)
        except CallFailed as error:
            raise CallFailed(still_open(error.failure, uuid)) from None
        if found is None:
            raise CallFailed(self._gone(step))
        if isinstance(found, Failure):
            raise CallFailed(found)
        return Finished(found) if isinstance(found, ResultKnown) else None
