"""Following an accepted task: while it is active, by its record afterwards, and where nobody knows it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from relightflow.backends.http.polling import ClockFunctions, PollSchedule
from relightflow.backends.http.response import Response
from relightflow.backends.runware.hosts import RunwareHosts
from relightflow.backends.runware.tasks import RunwarePoller, uuid_of
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.step import Accepted

UUID = uuid_of("b2a5d7a0000040008000000000000001")
STEP = Accepted(UUID)
RUNS = {"data": [{"taskUUID": UUID, "status": "processing"}]}
DONE = {"data": [{"taskUUID": UUID, "imageURL": "https://im.runware.ai/a.png", "cost": 0.04}]}
GONE = {"errors": [{"code": "taskNotFound", "taskUUID": UUID}]}
RECORD = {"data": [{"taskUUID": UUID, "response": DONE}]}


@dataclass
class _Api:
    """Answers in order, by the type of task."""

    answers: dict[str, list[Any]]
    hosts: RunwareHosts = field(default_factory=RunwareHosts)

    async def read(self, *_: object, body: list[dict[str, str]], **__: object) -> Response:
        (task,) = body
        assert task["taskUUID"] == UUID
        found = self.answers[task["taskType"]].pop(0)
        return Response(502) if found is None else Response(200, body=json.dumps(found).encode())


async def _nap(_: float) -> None:
    await asyncio.sleep(0)


def _poller(*polls: Any, record: Any = None) -> RunwarePoller:
    api: Any = _Api({"getResponse": list(polls), "getTaskDetails": [record]})
    return RunwarePoller(api, PollSchedule(), lambda _: None, ClockFunctions(_nap))


async def _failure(poller: RunwarePoller) -> Failure:
    with pytest.raises(CallFailed) as caught:
        await poller.result(STEP)
    return caught.value.failure


async def test_a_task_is_asked_for_until_it_has_a_result() -> None:
    found = await _poller(RUNS, RUNS, DONE).result(STEP)
    assert (found.request_id, found.cost) == (UUID, 40_000)


@pytest.mark.parametrize("polls", [(GONE,), ({"data": []},), (RUNS, GONE)], ids=str)
async def test_what_is_no_active_task_any_more_is_read_from_its_record(polls: Any) -> None:
    assert (await _poller(*polls, record=RECORD).result(STEP)).url.endswith("a.png")


async def test_what_has_no_record_either_is_not_known_and_not_free() -> None:
    failure = await _failure(_poller(GONE, record=GONE))
    assert (failure.kind, failure.billed) == (FailureKind.EXPIRED, Billed.UNKNOWN)


@pytest.mark.parametrize("polls", [(None,), (GONE,), (RUNS, None)], ids=str)
async def test_a_look_that_fails_leaves_the_task_open(polls: Any) -> None:
    failure = await _failure(_poller(*polls))
    assert (failure.kind, failure.billed) == (FailureKind.PENDING, Billed.UNKNOWN)
    assert failure.request_id == UUID
