"""The whole adapter against the emulator: every protocol and shape, to the cent."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from relightflow.backends.segmind import models
from relightflow.backends.segmind.adapter import Segmind
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.errors import RefusedError
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Accepted, Completed, PaidUnfetched, ResultKnown
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, HasBalance, HasHistory, HasIntentDetails
from relightflow.plugins.records import BackendContext, OperatorPolicy
from relightflow.testing.backend import InMemoryNotes
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect, Emulate
from tests.backends.segmind.conftest import KEY

JOBS = 24
SHAPES: list[tuple[str, dict[str, Any]]] = [
    ("v2", {}),
    ("v1", {"v1_shape": "bytes"}),
    ("v1", {"v1_shape": "json-base64"}),
    ("v1", {"v1_shape": "json-url"}),
    ("v1", {"v1_shape": "json-urls"}),
    ("v1", {"v1_shape": "json-images"}),
    ("auto", {"no_v2": True}),
    ("auto", {}),
]


@pytest.mark.parametrize(("api", "facts"), SHAPES, ids=lambda v: str(v))
async def test_each_job_is_billed_once_and_the_key_stays_with_the_api(
    connect: Connect, emulate: Emulate, api: str, facts: dict[str, Any]
) -> None:
    emulator = await emulate(**facts)
    context = await connect(emulator.url, api=api)
    done = await asyncio.gather(*(context.run(number) for number in range(JOBS)))

    assert len({d.request_id for d in done}) == JOBS
    assert {d.cost for d in done} == {50_000}
    assert emulator.bill()["totals"]["billed"] == JOBS
    assert emulator.requests()["with_key"].get("download", 0) == 0
    assert emulator.requests()["with_key"].get("asset", 0) == 0


async def test_steps_of_v2(connect: Connect, emulate: Emulate) -> None:
    context = await connect((await emulate()).url)
    accepted = await context.submit()
    assert isinstance(accepted, Accepted)
    assert accepted.details["api"] == "v2"
    known = await context.backend.collect(accepted)
    assert isinstance(known, ResultKnown)
    assert known.cost == 50_000
    assert isinstance(known.details["seed"], int)
    assert "total_time" in known.details


async def test_v1_hands_back_id_and_cost_before_it_reads_the_body(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url, api="v1")
    paid = await context.submit()
    assert isinstance(paid, PaidUnfetched)
    assert paid.request_id
    assert paid.cost == 50_000
    assert isinstance(paid.details["seed"], int)
    assert (await context.finish(paid)).data


async def test_what_was_paid_before_a_crash_is_found_in_the_history(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate()
    first = await connect(emulator.url, api="v1")
    paid = await first.submit()
    assert isinstance(paid, PaidUnfetched)
    await first.backend.close()

    second = await connect(emulator.url, api="v1")
    again = PaidUnfetched(paid.request_id, paid.cost, paid.details)
    assert (await second.finish(again)).data
    assert emulator.bill()["totals"]["billed"] == 1


async def test_what_the_history_does_not_show_stays_unknown_and_paid(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate(history_lag=3600.0)
    context = await connect(emulator.url, api="v1")
    paid = await context.submit()
    assert isinstance(paid, PaidUnfetched)
    await context.finish(paid)
    lost = PaidUnfetched(paid.request_id, paid.cost, paid.details)
    failure = await error(context.backend.collect(lost))
    assert (failure.kind, failure.billed, failure.cost) == (FailureKind.UNKNOWN, "yes", 50_000)


async def test_an_accepted_job_is_collected_by_another_process(
    connect: Connect, emulate: Emulate
) -> None:
    emulator = await emulate()
    accepted = await (await connect(emulator.url)).submit()
    assert (await (await connect(emulator.url)).finish(accepted)).data
    assert emulator.bill()["totals"]["billed"] == 1


@pytest.mark.parametrize("reply", [answer(404, b"<html>"), answer(404, {"detail": "Not Found"})])
async def test_a_404_that_is_not_the_providers_own_leads_to_no_second_call(
    connect: Connect, listen: Listen, reply: bytes
) -> None:
    """A proxy may have passed the call on before it said so."""
    seen: list[str] = []
    url = await listen(replying(lambda *_: reply, seen))
    context = await connect(url, delivery="inline")
    failure = await error(context.submit())
    assert (failure.kind, failure.billed) == (FailureKind.UNKNOWN, Billed.UNKNOWN)
    assert seen == ["POST /v2/segmind-relighting HTTP/1.1"]


async def test_falls_back_to_v1_once_and_says_so_once(connect: Connect, emulate: Emulate) -> None:
    emulator = await emulate(no_v2=True)
    context = await connect(emulator.url)
    for number in range(3):
        await context.run(number)
    assert [n for n in context.notices if "v2" in n] == [context.notices[-1]]
    assert _submits(emulator.requests()["statuses"]) == {"404": 1, "200": 3}


async def test_does_not_fall_back_where_v2_was_asked_for(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate(no_v2=True)).url, api="v2")
    assert (await error(context.submit())).kind is FailureKind.REFUSED_MODEL


async def test_a_model_that_neither_protocol_has_is_refused_with_the_nearest(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate(retired=frozenset({"segmind-relighting"}))).url)
    failure = await error(context.submit())
    assert failure.kind is FailureKind.REFUSED_MODEL
    assert "segmind-relighting-v2" in failure.message


async def test_the_balance_is_in_micro_dollars(connect: Connect, emulate: Emulate) -> None:
    context = await connect((await emulate(credits=12_340_000, free_credits=500_000)).url)
    balance = await context.backend.balance()
    assert (balance.credits, balance.free_credits) == (12_340_000, 500_000)


async def test_offline_opens_nothing(connect: Connect) -> None:
    with pytest.raises(RefusedError, match="offline"):
        await connect("http://127.0.0.1:9", operator=OperatorPolicy(offline=True))


async def test_the_override_is_said_aloud(connect: Connect) -> None:
    context = await connect("http://127.0.0.1:9")
    assert any("is used instead of Segmind" in notice for notice in context.notices)


def test_keeps_every_protocol_of_a_backend() -> None:
    context = BackendContext(models.MODELS[0], FrozenMap(), InMemoryNotes(), lambda _: None)
    backend: Backend = Segmind(context, lambda _: KEY, SegmindHosts())
    assert isinstance(backend, HasBalance)
    assert isinstance(backend, HasHistory)
    assert isinstance(backend, HasIntentDetails)


async def test_a_worker_that_downloads_gets_no_key_and_no_other_url(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url)
    steps = []
    for number in range(2):
        step = await context.submit(number)
        while not isinstance(step, ResultKnown):
            step = await context.backend.collect(step)
        steps.append(step)
    sent = pickle.dumps(context.backend.fetcher(steps[0]))
    assert KEY.encode() not in sent
    assert steps[0].url.encode() in sent
    assert steps[1].url.encode() not in sent
    fetched = await asyncio.to_thread(pickle.loads(sent))
    collected = await context.backend.collect(steps[0])
    assert isinstance(collected, Completed)
    assert fetched == collected.data


def _submits(statuses: dict[str, int]) -> dict[str, int]:
    """Status of submits → how often."""
    return {name.split()[1]: n for name, n in statuses.items() if name.startswith("submit ")}
