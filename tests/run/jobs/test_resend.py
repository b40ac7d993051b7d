"""A doubt about a call that bears our name ends by sending it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import Exit
from relightflow.model.attempt import Attempt, State
from relightflow.model.evidence import (
    ACCOUNT,
    SERVER_TIME,
    Evidence,
    Needs,
    Undecided,
    undecided,
)
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Accepted, ResultKnown
from relightflow.model.values import FrozenMap
from relightflow.objects.bucket import opened
from relightflow.plan.outputs import jobs
from relightflow.plugins.backend import Call, RecordsQuery, Settlement
from relightflow.plugins.records import BackendContext, OperatorPolicy
from relightflow.run.jobs.resend import may_resend
from relightflow.store.claims import Claims
from relightflow.store.index_entry import job_facts
from tests.conftest import Stage, make_store
from tests.scripted_backend import PRICE, NamedBackend, Provider, Script, ScriptedBackend, fails

DAY = Settlement("key", 86_400.0)
SENT = 1_700_000_000.0
LOST = (FailureKind.UNKNOWN, Billed.UNKNOWN)
ATTEMPT = Attempt(
    1, "k", "run", State.UNKNOWN, "studio", "glow", "a" * 64, FrozenMap(), 0, 1, None,
    Billed.UNKNOWN, "", "", "", "", 0.0, 0.0, FrozenMap({SERVER_TIME: SENT}), "0" * 32,
)  # fmt: skip


def first(*kinds: Any, **facts: Any) -> Script:
    """The first calls end so, the others as usual."""

    def script(_: Any, number: int) -> None:
        if number < len(kinds):
            raise fails(*kinds[number], **facts)

    return script


@pytest.fixture
def named(stage: Stage) -> Stage:
    stage.settle(DAY, NamedBackend)
    stage.provider.mode = "v2"
    return stage


@pytest.mark.parametrize("where", ["on_submit", "on_answer"])
def test_a_lost_call_is_settled_in_the_same_run_whether_it_arrived_or_not(
    named: Stage, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    setattr(named.provider, where, first(LOST))
    summary = named.run_in_no_time(monkeypatch, cap=PRICE)
    assert summary.exit == 0
    assert (summary.money.spent, summary.money.unknown) == (PRICE, 0)
    assert named.states() == [State.DONE]
    assert len(named.provider.bill) == len(named.provider.names) == 1
    assert len(named.provider.submits) == 2
    assert not [*(named.state_dir.calls).iterdir()]


def test_the_body_is_kept_to_the_byte_and_privately_until_the_outcome_is_known(
    named: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.provider.on_answer = first((FailureKind.BUG, Billed.UNKNOWN))
    named.provider.time = None  # nobody can tell how old the name is
    assert named.run_in_no_time(monkeypatch).exit == Exit.UNKNOWN
    [kept] = [*named.state_dir.calls.iterdir()]
    [(name, (_, body))] = named.provider.names.items()
    assert (kept.name, kept.read_bytes(), kept.stat().st_mode & 0o77) == (name, body, 0)
    assert len(named.provider.submits) == 1


def test_a_later_process_sends_it_again_although_the_image_has_gone(
    named: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.provider.on_answer = first(*[LOST] * 6)
    named.run_in_no_time(monkeypatch)
    named.image("b.png")
    (named.folder / "in" / "a.png").unlink()
    assert named.run_in_no_time(monkeypatch).exit == 0
    assert named.states() == [State.STORED, State.DONE]  # the plan has no place for the first
    assert len(named.provider.bill) == len(named.provider.names) == 2


@pytest.mark.parametrize(
    ("answers", "tries", "exit_code", "state"),
    [
        ([LOST, (FailureKind.PENDING, Billed.UNKNOWN)], 3, 0, State.DONE),
        ([LOST, (FailureKind.RATE_LIMITED, Billed.NO), LOST], 4, 0, State.DONE),
        ([LOST, (FailureKind.UNSENT, Billed.NO)], 3, 0, State.DONE),
        ([LOST, (FailureKind.JOB_FAILED, Billed.NO)], 2, Exit.JOBS_FAILED, State.FAILED),
        ([LOST, (FailureKind.REFUSED_CELL, Billed.NO)], 2, Exit.JOBS_FAILED, State.FAILED),
        ([LOST, (FailureKind.EXPIRED, Billed.UNKNOWN)], 2, Exit.UNKNOWN, State.UNKNOWN),
        ([LOST, (FailureKind.ACCOUNT, Billed.NO)], 2, Exit.UNKNOWN, State.UNKNOWN),
        ([LOST] * 9, 6, Exit.UNKNOWN, State.UNKNOWN),
    ],
)
def test_what_the_answers_to_a_call_that_is_sent_again_mean(
    named: Stage,
    answers: list[Any],
    tries: int,
    exit_code: int,
    state: State,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named.provider.on_submit = first(*answers)
    assert named.run_in_no_time(monkeypatch).exit == exit_code
    assert named.states() == [state]
    assert len(named.provider.submits) == tries
    assert len(named.provider.bill) == (state is State.DONE)


def test_a_name_that_is_used_and_cannot_be_replayed_stays_unknown_for_a_person(
    named: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.provider.on_submit = first(LOST, (FailureKind.EXPIRED, Billed.UNKNOWN))
    named.run_in_no_time(monkeypatch)
    [attempt] = named.attempts()
    found = undecided(attempt.details)
    assert found
    assert found.needs is Needs.PERSON
    named.run_in_no_time(monkeypatch)  # a later run asks once more, and buys nothing by itself
    assert named.states() == [State.DONE]
    assert len(named.provider.bill) == 1


def test_a_run_that_may_not_buy_sends_nothing_again(
    named: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What never arrived would be bought by it."""
    named.provider.on_submit = first(*[LOST] * 6)
    named.run_in_no_time(monkeypatch)
    named.run_in_no_time(monkeypatch, collect_only=True)
    assert len(named.provider.submits) == 6
    [attempt] = named.attempts()
    found = undecided(attempt.details)
    assert found
    assert found.needs is Needs.RUN
    assert named.run_in_no_time(monkeypatch).exit == 0
    assert len(named.provider.bill) == 1


@pytest.mark.parametrize(("cap", "sent"), [(0, 0), (PRICE - 1, 0), (PRICE, 1)])
def test_a_cap_that_does_not_hold_its_price_keeps_a_call_from_being_sent_again(
    named: Stage, monkeypatch: pytest.MonkeyPatch, cap: int, sent: int
) -> None:
    """It never arrived, so it would be bought now."""
    named.provider.on_submit = first(*[LOST] * 6)
    named.run_in_no_time(monkeypatch)
    before = len(named.provider.submits)
    summary = named.run_in_no_time(monkeypatch, cap=cap)
    assert len(named.provider.submits) - before == len(named.provider.bill) == sent
    if not sent:
        assert summary.exit == Exit.UNKNOWN
        (issue,) = [one for one in summary.issues if one.exit is Exit.UNKNOWN]
        assert "limits.max_cost (0." in issue.message
        found = undecided(named.attempts()[0].details)
        assert found
        assert found.needs is Needs.RUN
        assert named.run_in_no_time(monkeypatch).exit == 0


@pytest.mark.parametrize(("cap", "sent"), [(0, 0), (PRICE, 1), (2 * PRICE, 2)])
def test_calls_of_another_recipe_are_sent_again_as_far_as_this_one_s_cap_would_hold_them(
    named: Stage, monkeypatch: pytest.MonkeyPatch, cap: int, sent: int
) -> None:
    named.recipe([0, 1])
    named.provider.on_submit = first(*[LOST] * 12)
    named.run_in_no_time(monkeypatch)
    named.path = named.folder / "other.yaml"
    named.recipe([0, 1], sinks=[{"type": "directory", "path": "other/"}])
    named.path.write_text(named.path.read_text().replace("name: demo", "name: other"))
    named.run_in_no_time(monkeypatch, cap=cap)
    assert len(named.provider.bill) == sent


def dear(request: str) -> ResultKnown:
    """It was charged twice its price."""
    return ResultKnown(request, f"https://studio/{request}", 2 * PRICE)


class Dear(NamedBackend):
    def __init__(self, context: BackendContext, provider: Provider) -> None:
        super().__init__(context, provider)
        self._cost = 2 * PRICE

    async def submit(self, call: Call) -> ResultKnown:
        step = await super().submit(call)
        assert isinstance(step, Accepted)
        return dear(step.request_id)


class DearOnRecord(ScriptedBackend):
    async def look_up(self, query: RecordsQuery, *_: object) -> Evidence:
        found = [(doubt.id, dear(f"{doubt.job_key}-request")) for doubt in query.doubts]
        return Evidence(adopted=tuple(found))


@pytest.mark.parametrize(
    ("settlement", "backend"), [(DAY, Dear), (Settlement("lookup"), DearOnRecord)]
)
def test_an_overcharge_that_shows_only_afterwards_stops_the_run(
    named: Stage,
    monkeypatch: pytest.MonkeyPatch,
    settlement: Settlement,
    backend: type[ScriptedBackend],
) -> None:
    """Answered from the provider's memory or from its records: the next call is not made at that price."""
    named.provider.on_answer = first(*[LOST] * 6)
    named.run_in_no_time(monkeypatch)
    named.settle(settlement, backend)
    named.recipe([0, 1])
    summary = named.run_in_no_time(monkeypatch)
    assert summary.exit == Exit.BUDGET
    assert any("charged 0.10 USD" in issue.message for issue in summary.issues)
    assert len(named.provider.bill) == 1
    assert named.states() == [State.DONE]


class Unrecorded(NamedBackend):
    """Its provider also has a record of each task, which proves nothing where it is missing."""

    async def look_up(self, query: RecordsQuery, *_: object) -> Evidence:
        nothing = Undecided(Needs.PERSON, "there is no record")
        return Evidence(undecided=tuple((doubt.id, nothing) for doubt in query.doubts))


@pytest.mark.parametrize("needs", [Needs.TIME, Needs.RUN, Needs.PERSON])
def test_nobody_need_decide_about_a_call_as_long_as_it_may_be_sent_again(
    named: Stage, monkeypatch: pytest.MonkeyPatch, needs: Needs
) -> None:
    """Least of all by buying it again under another name."""
    named.settle(DAY, Unrecorded)
    named.recipe(on_unknown="resubmit")
    named.provider.on_answer = first(*[LOST] * 60)
    named.run_in_no_time(monkeypatch)
    if needs is Needs.PERSON:
        assert named.provider.time
        named.provider.time += 86_400
    named.run_in_no_time(monkeypatch, cap=0 if needs is Needs.RUN else PRICE)
    found = undecided(named.attempts()[0].details)
    assert found
    assert found.needs is needs
    assert len(named.provider.bill) == 1


def test_after_an_overcharge_nothing_is_sent_again(
    named: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.recipe([0, 1], concurrency=1)
    named.settle(DAY, Dear)
    named.provider.on_submit = first(LOST)
    summary = named.run_in_no_time(monkeypatch)
    assert summary.exit == Exit.UNKNOWN
    assert sorted(named.states()) == [State.DONE, State.UNKNOWN]
    assert len(named.provider.submits) == 2
    assert named.run_in_no_time(monkeypatch).exit == 0


def test_a_call_that_somebody_gave_up_is_never_sent_again(
    named: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is bought again under another name, so that the old one would be a second purchase."""
    used = (FailureKind.EXPIRED, Billed.UNKNOWN)
    named.provider.on_submit = first(LOST, used, used)
    named.run_in_no_time(monkeypatch)
    named.recipe(on_unknown="resubmit")
    named.run_in_no_time(monkeypatch)
    assert named.states() == [State.READY, State.DONE]
    assert (len(named.provider.bill), len(named.provider.submits)) == (1, 4)


@pytest.mark.parametrize("theirs", [True, False])
def test_a_call_is_sent_again_only_while_its_job_is_claimed_for_it(
    named: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: bool
) -> None:
    """In the shared store somebody let another machine have the job, which may have bought it."""
    url = make_store(f"file://{tmp_path}/shared")
    named.operator = OperatorPolicy(store=url)
    named.provider.on_submit = first(*[LOST] * 9)
    assert named.run_in_no_time(monkeypatch).exit == Exit.UNKNOWN
    claims = Claims(opened(url, files=True))
    (ours,) = claims.all()
    label = job_facts(next(jobs(named.plan())), PRICE)
    claims.delete(ours.key)
    if theirs:
        claims.create(label, replace(ours, attempt="e" * 32))
    before = len(named.provider.submits)
    named.provider.on_submit = first()
    ended = named.run_in_no_time(monkeypatch).exit
    if theirs:
        assert (ended, len(named.provider.submits)) == (Exit.UNKNOWN, before)
        (held,) = named.attempts()
        found = undecided(held.details)
        assert found
        assert found.needs is Needs.PERSON
        assert "another machine" in found.why
    else:
        assert (ended, len(named.provider.bill)) == (Exit.OK, 1)


def test_under_another_key_nothing_is_sent_again() -> None:
    """Names are an account's: another account would make and bill the call once more."""
    mine = replace(ATTEMPT, details=FrozenMap({SERVER_TIME: SENT, ACCOUNT: "mine"}))
    assert may_resend(mine, SENT, DAY, "mine") is None
    for attempt, account in ((mine, "other"), (mine, None), (ATTEMPT, "mine")):
        found = may_resend(attempt, SENT, DAY, account)
        assert found
        assert (found.needs, "another key" in found.why) == (Needs.PERSON, True)


@pytest.mark.parametrize(
    ("now", "attempt", "needs"),
    [
        (SENT, ATTEMPT, None),
        (SENT + 77_000, ATTEMPT, None),
        (SENT + 78_000, ATTEMPT, Needs.PERSON),
        (SENT - 61, ATTEMPT, Needs.PERSON),
        (None, ATTEMPT, Needs.TIME),
        (SENT, replace(ATTEMPT, uuid=""), Needs.PERSON),
        (SENT, replace(ATTEMPT, details=FrozenMap()), Needs.PERSON),
    ],
)
def test_a_call_is_sent_again_only_while_its_name_is_surely_remembered(
    now: float | None, attempt: Attempt, needs: Needs | None
) -> None:
    found = may_resend(attempt, now, DAY)
    assert (found.needs if isinstance(found, Undecided) else None) is needs


def test_a_call_whose_body_is_not_here_is_left_to_a_person(
    named: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.provider.on_submit = first(*[LOST] * 6)
    named.run_in_no_time(monkeypatch)
    for body in named.state_dir.calls.iterdir():
        body.unlink()
    assert named.run_in_no_time(monkeypatch).exit == Exit.UNKNOWN
    assert len(named.provider.submits) == 6


@pytest.mark.parametrize("found", [b"", b"cut sho", b"another call's"])
def test_a_body_that_was_damaged_or_edited_is_never_sent(
    named: Stage, found: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a provider refuses of it says nothing of the call that bore the name, and what it makes of it is
    not what was asked for."""
    named.provider.on_answer = first(*[LOST] * 6)
    named.run_in_no_time(monkeypatch)
    [body] = named.state_dir.calls.iterdir()
    body.write_bytes(found)
    submits = len(named.provider.submits)
    named.provider.on_submit = first(*[(FailureKind.REFUSED_CELL, Billed.NO)] * 9)
    assert named.run_in_no_time(monkeypatch).exit == Exit.UNKNOWN
    assert (len(named.provider.submits), named.states()) == (submits, [State.UNKNOWN])
    [attempt] = named.attempts()
    assert "damaged or changed" in str(undecided(attempt.details))
