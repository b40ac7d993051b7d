"""What fal's request history settles, and what it leaves open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relightflow.backends.fal.adapter import Fal
from relightflow.backends.fal.queue import RUN_SECONDS, START_SECONDS
from relightflow.backends.history.records import at_once
from relightflow.model.attempt import Attempt
from relightflow.model.evidence import Needs
from relightflow.model.step import ResultKnown
from tests.backends.conftest import Listen, answer, error, replying
from tests.backends.queued import Connect, Emulate, QueueConnection


async def never_taken(context: QueueConnection) -> tuple[Attempt, Attempt, Attempt]:
    """A call that never arrived, between two that did."""
    before = await context.made(1, light_type="midday")
    never = await context.made(2, send=False, light_type="moonlight lighting")
    return before, never, await context.made(3, light_type="overcast light")


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fal, "_slowest", 0.0)


async def test_a_call_that_was_taken_is_adopted_with_its_result(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url)
    lost = await context.made(1, light_type="midday")
    ((number, step),) = (await context.look_up(lost)).adopted
    assert isinstance(step, ResultKnown)
    assert (number, step.request_id) == (1, lost.url)
    assert (await context.finish(step)).data


async def test_a_failed_call_is_unbilled_and_a_refused_one_needs_a_person(
    connect: Connect, emulate: Emulate
) -> None:
    plan = "rules: [{at: submit, nth: 1, fault: job-failed}, {at: submit, nth: 2, fault: job-failed, with: {error: 'refused: unsafe'}}]"
    context = await connect((await emulate(plan)).url)
    failed, refused = await context.made(1), await context.made(2)
    found = await context.look_up(replace(failed, request_id=failed.url))
    assert [number for number, _ in found.failed] == [1]
    found = await context.look_up(replace(refused, request_id=refused.url))
    ((_, why),) = found.undecided
    assert why.needs is Needs.PERSON
    assert "may have billed" in why.why


@pytest.mark.usefixtures("settled")
async def test_a_call_that_was_never_taken_is_absent_once_others_vouch_for_the_history(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url)
    before, never, after = await never_taken(context)
    assert (await context.look_up(never, before, after)).absent == (2,)
    assert not (await context.look_up(never)).absent, "nobody vouches"


async def test_a_call_that_may_still_wait_for_a_runner_is_not_absent(
    connect: Connect, emulate: Emulate
) -> None:
    context = await connect((await emulate()).url)
    before, never, after = await never_taken(context)
    found = await context.look_up(never, before, after)
    ((_, why),) = found.undecided
    assert why.needs is Needs.TIME
    assert why.at is not None
    assert found.now is not None
    wait = why.at - found.now
    assert START_SECONDS + RUN_SECONDS - 5 < wait <= START_SECONDS + RUN_SECONDS + 1


@pytest.mark.usefixtures("settled")
async def test_pages_are_read_to_their_end(
    connect: Connect, emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relightflow.backends.fal.history._SIZES", (2, 3))
    context = await connect((await emulate()).url)
    calls = [await context.made(number, light_type="midday") for number in range(1, 8)]
    rows = await context.backend.bill(calls[0].created - 60, calls[-1].created + 60, at_once)
    assert {row.request_id for row in rows} == {call.url for call in calls}
    assert {row.cost for row in rows} == {40_000}


async def test_a_page_of_another_shape_proves_nothing(connect: Connect, listen: Listen) -> None:
    url = await listen(replying(lambda *_: answer(200, {"rows": []})))
    context = await connect(url)
    failure = await error(context.backend.bill(0.0, 1.0, at_once))
    assert "unknown format" in failure.message
