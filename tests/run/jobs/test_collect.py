"""From the first step to an image in the store, and what the next run does about what is left."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from relightflow.errors import AccountError, Exit, StorageError
from relightflow.ledger.ledger import Ledger
from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import Accepted, Completed, ResultKnown
from relightflow.plugins.backend import Settlement
from relightflow.plugins.registry import Loaded
from relightflow.run.jobs import collect
from relightflow.store import blobs
from tests.conftest import Stage
from tests.scripted_backend import PRICE, NamedBackend, ScriptedBackend, fails, png


def always(kind: FailureKind, billed: Billed = Billed.NO, **facts: Any) -> Any:
    def script(_: object, __: int) -> None:
        raise fails(kind, billed, **facts)

    return script


def at(step: type, kind: FailureKind, billed: Billed = Billed.NO) -> Any:
    """Fails whenever `step` is to be followed."""

    def script(before: object, _: int) -> None:
        if isinstance(before, step):
            raise fails(kind, billed)

    return script


@pytest.mark.parametrize("mode", ["v1", "v2"])
def test_every_step_is_in_the_ledger_before_the_next_is_asked_for(stage: Stage, mode: str) -> None:
    seen: list[State] = []

    def look(_: object, __: int) -> None:
        seen.extend(stage.states())

    stage.provider.mode = mode
    stage.provider.on_submit = stage.provider.on_collect = look
    stage.run()
    steps = {"v1": [State.PAID_UNFETCHED], "v2": [State.ACCEPTED, State.RESULT_KNOWN]}
    assert seen == [State.INTENT, *steps[mode]]
    assert stage.states() == [State.DONE]


def test_a_backend_may_know_the_result_at_once(stage: Stage) -> None:
    stage.provider.on_submit = lambda call, _: ResultKnown(
        stage.provider.charge(call.job.key), "https://studio/x", PRICE
    )
    assert stage.run().exit == 0
    assert stage.states() == [State.DONE]


@pytest.mark.parametrize(
    "kind",
    [FailureKind.PENDING, FailureKind.UNSENT, FailureKind.UNAVAILABLE, FailureKind.RATE_LIMITED],
)
def test_polls_that_fail_for_now_are_tried_until_they_work(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: FailureKind
) -> None:
    def script(_: object, number: int) -> None:
        if number % 8:
            raise fails(kind)

    stage.provider.mode = "v2"
    stage.provider.on_collect = script
    summary = stage.run_in_no_time(monkeypatch)
    assert (summary.exit, len(stage.provider.bill)) == (0, 1)


def test_a_download_that_never_works_is_left_for_the_next_run_which_collects_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.provider.mode = "v2"
    stage.provider.on_collect = at(ResultKnown, FailureKind.PENDING)
    summary = stage.run_in_no_time(monkeypatch)
    assert stage.states() == [State.RESULT_KNOWN]
    assert (summary.exit, summary.money.spent) == (Exit.EARLY, PRICE)
    stage.provider.on_collect = lambda _, __: None
    summary = stage.run()
    assert (summary.exit, summary.money.spent, len(stage.provider.bill)) == (0, 0, 1)
    assert stage.images() == ["a-0-0.png"]


@pytest.mark.parametrize(
    ("step", "kind", "billed", "state", "spent", "unknown"),
    [
        (Accepted, FailureKind.JOB_FAILED, Billed.NO, State.FAILED, 0, 0),
        (Accepted, FailureKind.UNKNOWN, Billed.UNKNOWN, State.UNKNOWN, 0, PRICE),
        (Accepted, FailureKind.EXPIRED, Billed.NO, State.UNKNOWN, 0, PRICE),
        (ResultKnown, FailureKind.EXPIRED, Billed.NO, State.UNKNOWN, PRICE, 0),
        (ResultKnown, FailureKind.BAD_RESULT, Billed.NO, State.FAILED, PRICE, 0),
        (ResultKnown, FailureKind.JOB_FAILED, Billed.NO, State.FAILED, PRICE, 0),
        (ResultKnown, FailureKind.TOO_LARGE, Billed.YES, State.RESULT_KNOWN, PRICE, 0),
        (ResultKnown, FailureKind.REFUSED_SAFETY, Billed.NO, State.RESULT_KNOWN, PRICE, 0),
        (ResultKnown, FailureKind.ACCOUNT, Billed.NO, State.RESULT_KNOWN, PRICE, 0),
    ],
)
def test_how_a_collect_that_fails_for_good_ends(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    step: type,
    kind: FailureKind,
    billed: Billed,
    state: State,
    spent: int,
    unknown: int,
) -> None:
    """Above all: once the bill has been seen, no later verdict of an adapter makes it unbilled."""
    stage.provider.mode = "v2"
    stage.provider.on_collect = at(step, kind, billed)
    summary = stage.run_in_no_time(monkeypatch)
    assert stage.states() == [state]
    assert (summary.money.spent, summary.money.unknown) == (spent, unknown)
    assert summary.exit != 0
    stage.provider.on_collect = lambda _, __: None
    stage.run()
    again = 2 if state is State.FAILED and not spent else 1
    assert len(stage.provider.bill) == again


def test_an_answer_cut_short_stays_paid_and_unfetched(stage: Stage) -> None:
    stage.provider.mode = "v1"
    stage.provider.on_collect = always(FailureKind.UNKNOWN, Billed.YES)
    summary = stage.run()
    assert stage.states() == [State.PAID_UNFETCHED]
    assert (summary.exit, summary.money.spent) == (Exit.UNKNOWN, PRICE)


@pytest.mark.parametrize("mode", ["instant", "v1", "v2"])
def test_a_result_that_is_not_an_image_is_kept_aside_and_not_bought_again(
    stage: Stage, mode: str
) -> None:
    rubbish = b"<html>sorry</html>"
    ruined: Any = lambda *_: Completed(rubbish, PRICE, "r")  # noqa: E731  a script
    stage.provider.mode = mode
    if mode == "instant":
        stage.provider.on_submit = ruined
    else:
        stage.provider.on_collect = ruined
    summary = stage.run()
    assert (stage.states(), summary.exit) == ([State.FAILED], Exit.JOBS_FAILED)
    assert summary.money.spent == PRICE
    (aside,) = (stage.state_dir.blobs / blobs.ASIDE).iterdir()
    assert aside.read_bytes() == rubbish
    assert stage.run().exit == Exit.JOBS_FAILED
    assert len(stage.provider.submits) == 1


def test_bytes_that_came_with_a_failure_are_kept_aside(stage: Stage) -> None:
    stage.provider.on_submit = always(FailureKind.BAD_RESULT, Billed.YES, kept=b"half an image")
    stage.run()
    (aside,) = (stage.state_dir.blobs / blobs.ASIDE).iterdir()
    assert aside.read_bytes() == b"half an image"


def test_what_the_result_really_cost_is_kept_when_the_last_step_does_not_say_it(
    stage: Stage,
) -> None:
    stage.provider.on_submit = lambda call, _: ResultKnown(
        stage.provider.charge(call.job.key), "https://studio/x", 30_000
    )
    stage.provider.on_collect = lambda step, _: Completed(png("x"))
    assert stage.run().money.spent == 30_000
    assert stage.attempts()[0].cost == 30_000


@pytest.mark.parametrize("doubt", [False, True])
def test_a_purchase_that_was_stopped_keeps_its_cap_when_it_goes_on(
    stage: Stage, doubt: bool
) -> None:
    """Neither a run that only collects nor a doubt beside the stop gives it a second cap."""

    def script(_: object, number: int) -> None:
        if number == 2:
            raise (
                fails(FailureKind.UNKNOWN, Billed.UNKNOWN) if doubt else fails(FailureKind.ACCOUNT)
            )
        if number > 2:
            raise fails(FailureKind.ACCOUNT)

    stage.recipe([0, 1, 2, 3, 4, 5], concurrency=1)
    stage.provider.on_submit = script
    stage.run(cap=4 * PRICE)
    stage.provider.on_submit = lambda _, __: None
    if not doubt:
        assert stage.run(cap=4 * PRICE, collect_only=True).exit == 0
    stage.run(cap=4 * PRICE)
    assert len(stage.provider.bill) + doubt == 4


def test_unknown_is_resubmitted_where_the_recipe_says_so_and_the_cap_holds_both(
    stage: Stage,
) -> None:
    stage.provider.on_submit = always(FailureKind.UNKNOWN, Billed.UNKNOWN)
    stage.run()
    stage.recipe(on_unknown="resubmit")
    stage.provider.on_submit = lambda _, __: None
    summary = stage.run(cap=2 * PRICE)
    assert summary.exit == 0
    assert stage.states() == [State.READY, State.DONE]
    assert summary.money.unknown == PRICE  # the first one may still have been billed


def test_a_cap_too_low_for_a_second_bill_leaves_the_doubt_a_doubt(stage: Stage) -> None:
    stage.provider.on_submit = always(FailureKind.UNKNOWN, Billed.UNKNOWN)
    stage.run()
    stage.recipe(on_unknown="resubmit")
    stage.provider.on_submit = lambda _, __: None
    summary = stage.run(cap=2 * PRICE - 1)
    assert stage.states() == [State.UNKNOWN]
    assert summary.exit == Exit.UNKNOWN
    stage.recipe()
    stage.run()
    assert stage.provider.bill == []


def test_a_backend_that_hangs_is_left_behind_by_a_deadline(stage: Stage) -> None:
    """--stop-after: nothing new is asked for, and what hangs in a poll is left collectable."""

    async def hang(step: Any) -> Any:
        await asyncio.Event().wait()

    stage.recipe([0, 1, 2], concurrency=1)
    stage.provider.mode = "v2"
    stage.provider.on_collect = lambda step, _: hang(step)
    summary = stage.run(stop_after=2.3)
    assert stage.states() == [State.ACCEPTED]
    assert summary.exit == Exit.EARLY
    assert any("--stop-after" in issue.message for issue in summary.issues)
    stage.provider.on_collect = lambda _, __: None
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 3


def test_prepare_is_called_once_for_all_jobs_of_an_image(stage: Stage) -> None:
    stage.recipe(list(range(20)))
    stage.run()
    assert stage.provider.prepared == ["in/a.png"]


def _results_live(stage: Stage, seconds: float) -> None:
    record = replace(stage.registry.backend("studio"), keeps_results=seconds)
    backends = {**stage.registry.backends, "studio": Loaded(record, "test")}
    stage.registry = replace(stage.registry, backends=backends)


@pytest.mark.parametrize("kind", [FailureKind.BAD_RESULT, FailureKind.EXPIRED])
def test_while_a_result_lives_a_bad_download_is_no_end(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, kind: FailureKind
) -> None:
    _results_live(stage, 7 * 86_400.0)
    stage.provider.mode = "v2"
    stage.provider.on_collect = at(ResultKnown, kind)
    monkeypatch.setattr(collect, "DOWNLOAD_PATIENCE", 0.0)
    for _ in range(2):
        summary = stage.run()
        assert (summary.exit, stage.states()) == (Exit.EARLY, [State.RESULT_KNOWN])
    stage.provider.on_collect = lambda _, __: None
    assert stage.run().exit == 0
    assert (len(stage.provider.bill), stage.images()) == (1, ["a-0-0.png"])


def test_how_old_a_result_is_says_the_providers_clock(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call was made before this machine's clock was put right: its result seems long gone, and lives."""
    stage.settle(Settlement("key", 86_400.0), NamedBackend)
    _results_live(stage, 7 * 86_400.0)
    stage.provider.on_collect = at(ResultKnown, FailureKind.PENDING)
    stage.run_in_no_time(monkeypatch)
    assert stage.states() == [State.RESULT_KNOWN]
    with closing(sqlite3.connect(stage.state_dir.ledger)) as db, db:
        db.execute("UPDATE attempt SET created = 0")
    stage.provider.on_collect = at(ResultKnown, FailureKind.BAD_RESULT, Billed.YES)
    stage.run_in_no_time(monkeypatch)
    assert stage.states() == [State.RESULT_KNOWN]
    stage.provider.on_collect = lambda _, __: None
    assert stage.run().exit is Exit.OK
    assert len(stage.provider.bill) == 1


def test_a_page_in_the_place_of_a_result_is_asked_for_again_in_the_same_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(step: object, number: int) -> Completed | None:
        return (
            Completed(b"<html>soon</html>")
            if isinstance(step, ResultKnown) and number < 6
            else None
        )

    _results_live(stage, 7 * 86_400.0)
    stage.provider.mode = "v2"
    stage.provider.on_collect = script
    assert stage.run_in_no_time(monkeypatch).exit == 0
    assert len(stage.provider.bill) == 1


def test_one_request_id_for_several_submits_is_delivered_once_and_the_others_are_held(
    stage: Stage,
) -> None:
    stage.recipe(shades=[0, 1, 2])
    stage.provider.mode = "v2"
    stage.provider.on_submit = lambda _, __: Accepted("the-same-for-all")
    summary = stage.run()
    assert summary.exit == Exit.UNKNOWN
    assert sorted(stage.states()).count(State.UNKNOWN) == 2
    assert summary.counts.delivered <= 1


def test_what_is_stored_is_delivered_where_the_account_cannot_be_used(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A doubt asks for the provider's records, and so for a key; the stored results need none."""

    def lose(_: object, number: int) -> None:
        if number == 0:
            raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)

    stage.recipe([0, 1], concurrency=1)
    stage.provider.on_submit = lose
    stage.run()
    shutil.rmtree(stage.out)

    async def no_key(_: ScriptedBackend) -> None:
        raise AccountError("no key")

    monkeypatch.setattr(ScriptedBackend, "open", no_key)
    summary = stage.run(collect_only=True)
    assert len(stage.images()) == 1
    assert {issue.exit for issue in summary.issues} == {Exit.ACCOUNT, Exit.UNKNOWN}


@pytest.mark.parametrize("mode", ["v1", "v2"])
def test_an_answer_that_the_ledger_refuses_is_in_the_stores_index_and_collected_by_the_next_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """As where another program holds the ledger's lock for longer than a run waits."""

    async def locked(*_: object) -> None:
        raise StorageError("the ledger could not be written: database is locked")

    stage.provider.mode = mode
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "advance", locked)
        patch.setattr(Ledger, "stored", locked)
        assert stage.run().exit is Exit.STORAGE
    [attempt] = stage.attempts()
    assert (attempt.state, bool(attempt.request_id)) == (
        State.ACCEPTED if mode == "v2" else State.PAID_UNFETCHED,
        True,
    )
    if mode == "v2":
        assert stage.run().exit is Exit.OK
    assert len(stage.provider.bill) == 1


def test_that_nothing_was_billed_is_in_the_stores_index_where_the_ledger_refuses_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def locked(*_: object) -> None:
        raise StorageError("the ledger could not be written: database is locked")

    def refused(_: object, __: int) -> None:
        raise fails(FailureKind.ACCOUNT)

    stage.provider.on_submit = refused
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "close_attempt", locked)
        assert stage.run().exit is Exit.STORAGE
    assert stage.states() == [State.READY]
