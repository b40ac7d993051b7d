"""Following an accepted call: what ends the wait, and what does not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from relightflow.backends.http.polling import ClockFunctions, PollSchedule
from relightflow.backends.http.queue import Finished, QueuePoller, Repeats
from relightflow.backends.http.response import Response, mapping
from relightflow.model.failure import Billed, CallFailed, FailureKind
from relightflow.model.step import Accepted, ResultKnown

STEP = Accepted("request-1")
DONE = ResultKnown("request-1", "https://acme.example/1.png", None)


@dataclass
class _Hosts:
    provider: str = "Acme"


@dataclass
class _Api:
    answers: list[Response]
    hosts: _Hosts = field(default_factory=_Hosts)

    async def read(self, *_: object, **__: object) -> Response:
        return self.answers.pop(0)


@dataclass(frozen=True, slots=True)
class _Poller(QueuePoller[Any]):
    longest = 60.0
    waiting = ("WAITING",)

    async def _look(self, step: Accepted, repeats: Repeats) -> Finished | None:
        answer = await self._ask("/1", step, lambda found: b"acme" in found.body)
        body = mapping(answer.body)
        self._about(body, "id", step)
        repeats.count(answer)
        return Finished(DONE) if self._ended(str(body.get("status")), "DONE") else None


def _poller(*answers: bytes, status: int = 200) -> tuple[_Poller, list[str]]:
    told: list[str] = []
    clock = [0.0]

    async def sleep(seconds: float) -> None:
        clock[0] += seconds
        await asyncio.sleep(0)

    api: Any = _Api([Response(status, body=body) for body in answers])
    made = _Poller(
        api,
        PollSchedule(),
        told.append,
        ClockFunctions(sleep, lambda: clock[0], lambda: 1000 + clock[0]),
    )
    return made, told


async def _failure(poller: _Poller, step: Accepted = STEP) -> Any:
    with pytest.raises(CallFailed) as caught:
        await poller.result(step)
    return caught.value.failure


async def test_a_word_that_nobody_documented_is_told_and_waited_for() -> None:
    poller, told = _poller(b'{"status": "WAITING"}', b'{"status": "moon"}', b'{"status": "DONE"}')
    assert await poller.result(STEP) is DONE
    assert [words for words in told if "moon" in words]


async def test_a_process_stops_waiting_and_the_call_stays_open() -> None:
    failure = await _failure(_poller(*[b'{"status": "WAITING"}'] * 99)[0])
    assert (failure.kind, failure.billed) == (FailureKind.PENDING, Billed.UNKNOWN)
    assert failure.request_id == "request-1"


async def test_only_the_providers_own_404_says_that_it_does_not_know_the_call() -> None:
    assert (await _failure(_poller(b"acme: no", status=404)[0])).kind is FailureKind.EXPIRED
    poller, _ = _poller(*[b"<html>"] * 99, status=404)
    assert (await _failure(poller)).kind is FailureKind.PENDING


async def test_an_answer_about_another_call_settles_nothing() -> None:
    failure = await _failure(_poller(b'{"id": "request-2", "status": "DONE"}')[0])
    assert (failure.kind, failure.billed) == (FailureKind.PENDING, Billed.UNKNOWN)


async def test_an_id_that_cannot_stand_in_a_path_is_never_asked_for() -> None:
    failure = await _failure(_poller()[0], Accepted("../secret"))
    assert (failure.kind, failure.billed) == (FailureKind.EXPIRED, Billed.UNKNOWN)


def test_only_the_same_answer_in_a_row_counts_as_repeated() -> None:
    repeats = Repeats()
    first, other = Response(500, body=b"a"), Response(500, body=b"b")
    assert [repeats.count(r) for r in (first, first, other, first)] == [1, 2, 1, 1]
