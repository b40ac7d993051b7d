"""The request history against the emulator and against servers that page badly."""

from __future__ import annotations

import dataclasses
import itertools
import time
from datetime import date
from typing import Any

import pytest

from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.faults.reading import parse
from relightflow.backends.emulator.server import start
from relightflow.backends.history.records import at_once
from relightflow.backends.http.client import Api
from relightflow.backends.http.response import Response
from relightflow.backends.segmind.history import DAYS, windows
from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import SERVER_TIME, Evidence, Needs
from relightflow.model.failure import Billed, Failure, FailureKind
from relightflow.model.step import Accepted, PaidUnfetched, ResultKnown
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call, RecordsQuery, Retry
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect, Emulate, QueueConnection

NO_LAG = 0.0
"""The emulator's records are complete at once."""


async def look_up(
    context: QueueConnection,
    doubts: list[Attempt],
    *known: Attempt,
    ids: frozenset[str] = frozenset(),
    lag: float = NO_LAG,
    retry: Retry = at_once,
) -> Evidence:
    ids = ids | {attempt.request_id for attempt in known}
    query = RecordsQuery(tuple(doubts), known, ids, lag)
    found: Evidence = await context.backend.look_up(query, retry)
    return found


async def bought(context: QueueConnection, number: int, attempt_id: int) -> Attempt:
    """A call of ours that was answered."""
    call = await context.call(number)
    attempt = doubt(context, call, attempt_id)
    step = await context.backend.submit(call)
    return dataclasses.replace(attempt, state=State.DONE, request_id=step.request_id)


async def never_taken(context: QueueConnection) -> tuple[Attempt, Attempt, Attempt]:
    """A call that never arrived, between two that did."""
    before = await bought(context, 0, 1)
    attempt = doubt(context, await context.call(1), 2)
    return before, attempt, await bought(context, 2, 3)


def doubt(context: QueueConnection, call: Call, number: int = 1, request_id: str = "") -> Attempt:
    """The ledger's row of a call whose answer was lost."""
    return Attempt(
        id=number,
        job_key=call.job.key,
        run_id="r",
        state=State.UNKNOWN,
        backend="segmind",
        model=call.job.model,
        image_sha256=call.job.image.sha256,
        parameters=call.job.parameters,
        repeat=call.job.repeat,
        price=50_000,
        cost=None,
        billed=Billed.UNKNOWN,
        request_id=request_id,
        url="",
        blob="",
        reason="",
        created=time.time(),
        updated=time.time(),
        details=context.backend.intent_details(call),
    )


@pytest.mark.parametrize("envelope", ["list", "data", "results", "items"])
@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("delivery", ["upload", "inline"])
async def test_a_lost_call_is_found_and_fetched(
    connect: Connect, emulate: Emulate, envelope: str, as_text: bool, delivery: str
) -> None:
    emulator = await emulate(envelope=envelope, history_body_as_text=as_text)
    context = await connect(emulator.url, api="v1", delivery=delivery)
    call = await context.call()
    attempt = doubt(context, call)
    await context.backend.submit(call)
    evidence = await look_up(context, [attempt])
    [(number, step)] = evidence.adopted
    assert number == 1
    assert isinstance(step, ResultKnown)
    assert step.cost == 50_000
    assert (await context.finish(step)).data


async def test_a_call_that_was_never_taken_is_absent_once_settled(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url)
    before, attempt, after = await never_taken(context)
    assert (await look_up(context, [attempt], before, after)).absent == (2,)
    early = await look_up(context, [attempt], before, after, lag=600.0)
    [(_, found)] = early.undecided
    assert (early.absent, found.needs) == ((), Needs.TIME)
    assert found.at is not None
    assert early.now is not None
    assert 590 < found.at - early.now < 610


async def test_without_a_later_call_nothing_is_absent(connect: Connect, emulate: Emulate) -> None:
    context = await connect((await emulate()).url)
    before = await bought(context, 0, 1)
    attempt = doubt(context, await context.call(1), 2)
    evidence = await look_up(context, [attempt], before)
    [(_, found)] = evidence.undecided
    assert (evidence.absent, found.needs) == ((), Needs.PURCHASE)


async def test_what_the_ledger_has_already_is_nobody_elses(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url)
    before, attempt, after = await never_taken(context)
    evidence = await look_up(context, [attempt], before, after)
    assert (evidence.adopted, evidence.absent) == ((), (2,))


async def test_the_time_of_a_call_is_the_providers(connect: Connect, emulate: Emulate) -> None:
    """The local clock may be off by years; INTENT has what the answers' `Date` said."""
    context = await connect((await emulate(clock_skew=9e6)).url, wall=lambda: 1.0)
    await context.submit()
    told = context.backend.intent_details(await context.call())[SERVER_TIME]
    assert abs(told - time.time() - 9e6) < 2


async def test_repeats_are_matched_as_a_set(connect: Connect, emulate: Emulate) -> None:
    context = await connect((await emulate()).url, api="v1")
    before = await bought(context, 9, 0)
    calls = [await context.call(number) for number in range(4)]
    doubts = [doubt(context, call, number) for number, call in enumerate(calls, 1)]
    paid = [await context.backend.submit(call) for call in calls[:3]]
    after = await bought(context, 9, 9)
    evidence = await look_up(context, doubts, before, after)
    adopted = {step.request_id for _, step in evidence.adopted if isinstance(step, ResultKnown)}
    assert adopted == {p.request_id for p in paid if isinstance(p, PaidUnfetched)}
    assert len(evidence.absent) == 1


async def test_a_v2_job_that_still_runs_is_adopted_as_accepted(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate(latency=(3600.0, 3600.0))).url)
    call = await context.call()
    attempt = doubt(context, call)
    taken = await context.backend.submit(call)
    assert isinstance(taken, Accepted)
    [(_, step)] = (await look_up(context, [attempt])).adopted
    assert isinstance(step, Accepted)
    assert step.request_id == taken.request_id


async def test_a_known_id_is_looked_up_whatever_its_age(connect: Connect, emulate: Emulate) -> None:
    context = await connect((await emulate()).url)
    taken = await context.submit()
    assert isinstance(taken, Accepted)
    attempt = doubt(context, await context.call(), request_id=taken.request_id)
    [(_, step)] = (await look_up(context, [attempt])).adopted
    assert isinstance(step, ResultKnown)


async def test_the_bill_has_every_request_once(connect: Connect, emulate: Emulate) -> None:
    emulator = await emulate()
    context = await connect(emulator.url)
    done = {(await context.run(number)).request_id for number in range(5)}
    bill = await context.backend.bill(time.time() - 60, time.time() + 60, at_once)
    assert {b.request_id for b in bill} == done
    assert sum(b.cost for b in bill) == 250_000


async def test_a_long_history_is_read_to_its_end(connect: Connect, emulate: Emulate) -> None:
    emulator = await emulate()
    context = await connect(emulator.url, api="v1")
    for number in range(230):
        await context.submit(number)
    assert len(await context.backend.bill(time.time() - 60, time.time() + 60, at_once)) == 230


def raw(number: int) -> dict[str, Any]:
    return {"request_id": f"request-{number:04d}", "model_created": "2020-01-01T00:00:00Z"}


async def test_a_server_that_gives_few_rows_a_page_is_read_to_its_end(
    connect: Connect, listen: Listen
) -> None:
    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        page = int(first.split("page=")[1].split("&")[0])
        if page < 1:
            return answer(400)
        return answer(200, {"data": [raw(page * 2), raw(page * 2 + 1)] if page < 4 else []})

    context = await connect(await listen(replying(choose)), delivery="inline")
    at = 1577836800.0
    assert len(await context.backend.bill(at, at + 1, at_once)) == 6


def history_of(*found: dict[str, Any]) -> Any:
    """A server whose history is one page."""

    def choose(first: str, headers: dict[str, str], body: bytes) -> bytes:
        return answer(200, {"data": list(found) if "page=1&" in first else []})

    return replying(choose)


async def test_a_row_that_cannot_be_read_proves_nothing_absent(
    connect: Connect, listen: Listen
) -> None:
    context = await connect(await listen(history_of({"weird": 1})), delivery="inline")
    attempt = doubt(context, await context.call())
    assert (await look_up(context, [attempt])).absent == ()


@pytest.mark.parametrize("api", ["v1", "v2"])
async def test_only_a_v2_job_can_be_followed_while_it_runs(
    connect: Connect, listen: Listen, api: str
) -> None:
    sent: dict[str, Any] = {}
    row = {
        "request_id": "request-0001",
        "model_name": "segmind-relighting",
        "model_status": "PENDING",
        "request_body": sent,
        "model_created": time.time(),
    }
    context = await connect(await listen(history_of(row)), api=api, delivery="inline")
    call = await context.call()
    sent.update({"image": call.prepared.value, **call.job.parameters})
    evidence = await look_up(context, [doubt(context, call)])
    assert len(evidence.adopted) == (1 if api == "v2" else 0)
    assert evidence.absent == ()


async def test_a_failed_call_that_the_records_charge_for_is_not_unbilled(
    connect: Connect, listen: Listen
) -> None:
    row = {
        "request_id": "request-0001", "model_name": "segmind-relighting", "model_status": "FAILED",
        "credits_deduction": 0.05, "error": "out of memory", "model_created": time.time(),
    }  # fmt: skip
    context = await connect(
        await listen(replying(lambda *_: answer(200, row))), api="v1", delivery="inline"
    )
    attempt = doubt(context, await context.call(), request_id="request-0001")
    evidence = await look_up(context, [attempt])
    [(_, found)] = evidence.undecided
    assert (evidence.failed, found.needs) == ((), Needs.PERSON)
    assert "0.05 USD" in found.why
    lost = PaidUnfetched("request-0001", None, FrozenMap({"api": "v1"}), None)
    failure = await error(context.backend.collect(lost))
    assert (failure.kind, failure.billed, failure.cost) == (
        FailureKind.JOB_FAILED,
        Billed.YES,
        50_000,
    )


async def test_a_server_whose_paging_is_broken_proves_nothing_absent(
    connect: Connect, listen: Listen
) -> None:
    full = answer(200, {"data": [raw(n) for n in range(100)]})
    context = await connect(await listen(replying(lambda *_: full)), delivery="inline")
    attempt = doubt(context, await context.call())
    assert (await look_up(context, [attempt])).absent == ()


@pytest.mark.parametrize(
    "reply",
    [answer(200, {"lines": []}), answer(200, b"<html>"), answer(500, b""), answer(404, b"")],
)
async def test_an_answer_that_cannot_be_read_proves_nothing(
    connect: Connect, listen: Listen, reply: bytes
) -> None:
    context = await connect(await listen(replying(lambda *_: reply)), delivery="inline")
    attempt = doubt(context, await context.call())
    failure = await error(look_up(context, [attempt]))
    assert (failure.kind, failure.billed) == (FailureKind.UNAVAILABLE, Billed.NO)


async def test_an_expired_key_is_an_account_problem(connect: Connect, emulate: Emulate) -> None:
    context = await connect((await emulate(keys=frozenset({"SG_another0000000"}))).url)
    failure = await error(context.backend.bill(0.0, 1.0, at_once))
    assert failure.kind is FailureKind.ACCOUNT


def test_windows_cover_the_period_and_are_short_enough() -> None:
    day = 86_400.0
    found = windows(1_795_435_200.0, 1_795_435_200.0 + 100 * day)
    assert found[0][0] == date(2026, 11, 22)
    assert found[-1][1] == date(2027, 3, 4)
    for first, last in found:
        assert (last - first).days < DAYS
    for before, after in itertools.pairwise(found):
        assert (after[0] - before[1]).days == 1


async def test_a_stand_in_that_settles_at_once_is_believed_at_once(
    connect: Connect, emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = await connect((await emulate()).url)
    hosts = dataclasses.replace(context.backend._hosts, settling=0.0)
    monkeypatch.setattr(context.backend, "_hosts", hosts)
    before, attempt, after = await never_taken(context)
    assert (await look_up(context, [attempt], before, after, lag=600.0)).absent == (2,)


async def test_an_earlier_try_that_failed_does_not_speak_for_a_call_that_is_too_new(
    connect: Connect,
) -> None:
    """The records lag: the row of the doubtful call itself may still come, and be billed."""
    plan = parse("rules: [{at: submit, fault: job-failed, nth: 2}]")
    settings = Config(latency=(0.0, 0.0), image="tiny")
    async with await start(settings, plan=plan) as running:
        context = await connect(running.url, api="v1")
        before = await bought(context, 0, 1)
        call = await context.call(1)
        await error(context.backend.submit(call))
        attempt = doubt(context, call, 2)
        after = await bought(context, 2, 3)
        early = await look_up(context, [attempt], before, after, lag=600.0)
        assert (early.failed, early.adopted, early.absent) == ((), (), ())
        settled = await look_up(context, [attempt], before, after)
        assert [number for number, _ in settled.failed] == [2]


async def test_a_rate_limit_is_waited_out_in_the_middle_of_a_reading(
    connect: Connect, emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read stays read: from some thousand calls a day on every reading meets the limit."""
    context = await connect((await emulate()).url, api="v1")
    for number in range(130):
        await context.submit(number)
    read, asked, waits = Api.read, itertools.count(1), list[Failure]()

    async def limiting(*given: Any, **more: Any) -> Response:
        return await read(*given, **more) if next(asked) % 3 else Response(429)

    async def wait(failure: Failure) -> None:
        waits.append(failure)

    monkeypatch.setattr(Api, "read", limiting)
    bill = await context.backend.bill(time.time() - 60, time.time() + 60, wait)
    assert len(bill) == 130
    assert {failure.kind for failure in waits} == {FailureKind.RATE_LIMITED}
