"""Runware: every fault of the wire, kills, and names that are forgotten; no doubt is left at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relightflow.backends.emulator.plain import Spoil
from relightflow.backends.runware.emulator import RunwareEmulator
from relightflow.errors import Exit
from tests.backends.http.named import JOBS, Row, Shopping, check_row, row, shopping_at

shopping = shopping_at("runware", RunwareEmulator)


def _change(name: str, change: Callable[[Any], Any], phase: str = "submit", **facts: Any) -> Row:
    return row(name, phase, "change", change=change, **facts)


def _refusal(code: str, status: int, *words: str, end: Exit, **facts: Any) -> Row:
    body = f'{{"errors": [{{"code": "{code}", "message": "no"}}]}}'.encode()
    spoil = Spoil("submit", "instead", 9, status=status, body=body)
    return Row(code, (spoil,), end, words, **({"billed": 0} | facts))


ROWS = (
    _change("an answer without the task", lambda _: {"data": []}),
    _change("an answer about another task", lambda a: {"data": [{**a["data"][0], "taskUUID": "x"}]}),
    _change("an answer of another shape", lambda _: {"data": {"taskUUID": "x"}}),
    _change("a list", lambda a: [a]),
    _change("rows in disorder, and twice", lambda a: {
        "errors": [{"code": "invalidThing", "taskUUID": "another"}],
        "data": [{"taskUUID": "another", "imageURL": "https://example.com/x"}, *a["data"] * 2],
    }),
    _change("a UUID in capitals", lambda a: {
        "data": [{**a["data"][0], "taskUUID": a["data"][0]["taskUUID"].upper()}]
    }),
    _refusal("invalidApiKey", 401, "RUNWARE_API_KEY", end=Exit.ACCOUNT),
    _refusal("insufficientCredits", 402, "balance", end=Exit.ACCOUNT),
    *(Row(code, (), Exit.JOBS_FAILED, (said,), billed=0, emulator={"refuses": code})
      for code, said in (("invalidLightType", "refused the parameters"), ("invalidModel", "refused the model"))),
    row("a gateway refuses the request, taken", "submit", "behind", status=400,
        body=b'{"errors": [{"code": "invalidRequest", "message": "no"}]}',
        exit=Exit.EARLY, billed=1),
    row("429 once", "submit", "instead", status=429, headers={"Retry-After": "1"},
        body=b'{"errors": [{"code": "rateLimitExceeded", "message": "slow down"}]}'),
    row("a gateway is overloaded, taken", "submit", "behind", status=503,
        body=b'{"errors": [{"code": "overloaded", "message": "later"}]}'),
    row("a time-out behind it, taken", "submit", "behind", status=504,
        body=b'{"errors": [{"code": "timeoutProvider", "message": "late"}]}'),
    *(row(f"polls meet {how}", "poll", how, times=3) for how in ("unread", "instead", "cut")),
    row("polls meet 429", "poll", "instead", status=429, headers={"Retry-After": "1"}),
    _change("polls are empty", lambda _: {"data": []}, "poll"),
    _change("an unknown word for a state", lambda a: {
        "data": [{"taskUUID": a["data"][0]["taskUUID"], "status": "pondering"}]
    }, "poll"),
    _change("the result twice, and another's", lambda a: {
        "data": [{"taskUUID": "x", "imageURL": "https://e.com/"}, *a["data"] * 2]
    }, "poll"),
    _change("no cost", lambda a: {"data": [{**a["data"][0], "cost": None}]}, "poll"),
    _change("twice the price", lambda a: {"data": [{**a["data"][0], "cost": 0.08}]}, "poll",
            exit=Exit.BUDGET, billed=1, words=("charged 0.08 USD",)),
    _change("the result is elsewhere", lambda a: {
        "data": [{**a["data"][0], "imageURL": "https://example.com/a.jpg"}]
    }, "poll", exit=Exit.REFUSED, billed=1, words=("paid for",), then=Exit.REFUSED, end=1),
)  # fmt: skip


@pytest.mark.parametrize("found", ROWS, ids=lambda found: found.name)
async def test_a_fault_ends_as_the_table_says(shopping: Shopping, found: Row) -> None:
    async with shopping() as opened:
        await check_row(opened, found)


async def test_a_task_that_failed_counts_as_billed_until_its_row_says_what_it_cost(
    shopping: Shopping,
) -> None:
    """Whether failed tasks are billed is not documented: never tried again by itself."""
    async with shopping() as opened:
        emulator = opened.emulator
        assert isinstance(emulator, RunwareEmulator)
        emulator.fails = {"code": "contentBlocked", "message": "not this one", "status": "error"}
        code, said = await opened.run()
        assert (code, "not this one" in said, "counts as billed" in said) == (
            Exit.JOBS_FAILED,
            True,
            True,
        )
        emulator.fails = {}
        assert (await opened.run())[0] is Exit.JOBS_FAILED
        assert len(emulator.bill) == 0


async def test_a_task_that_failed_at_no_cost_is_tried_again_by_the_next_run(
    shopping: Shopping,
) -> None:
    async with shopping() as opened:
        emulator = opened.emulator
        assert isinstance(emulator, RunwareEmulator)
        emulator.fails = {"code": "providerError", "message": "oops", "status": "error", "cost": 0}
        assert (await opened.run())[0] is Exit.JOBS_FAILED
        emulator.fails = {}
        assert (await opened.run())[0] is Exit.OK
        assert len(emulator.bill) == JOBS


@pytest.mark.parametrize("facts", [{"remembers": 0.0}, {"keeps": 0.0}], ids=str)
async def test_a_name_that_is_forgotten_at_once_is_not_billed_twice(
    shopping: Shopping, facts: dict[str, float]
) -> None:
    """How long a name is refused is not documented; a task's record would show it too."""
    async with shopping(**facts) as opened:
        opened.emulator.faults = [Spoil("submit", "lost", 2)]
        assert (await opened.run())[0] is Exit.OK
        assert len(opened.emulator.bill) == JOBS


async def test_an_hour_later_the_name_is_only_looked_up(shopping: Shopping) -> None:
    async with shopping() as opened:
        opened.emulator.faults = [
            Spoil("submit", "lost", 1),
            Spoil("submit", "unread", 1),
            Spoil("details", "instead", 99),
        ]
        assert (await opened.run())[0] is Exit.UNKNOWN
        assert opened.unknown() == JOBS
        opened.emulator.faults = []
        opened.emulator.skew = 7200.0
        submits = opened.emulator.seen["submit"]
        code, said = await opened.run()
        assert (code, opened.unknown()) == (Exit.UNKNOWN, 1)  # the one that never arrived
        assert "no record of a task of that name" in said
        assert opened.emulator.seen["submit"] == submits
        assert len(opened.emulator.bill) == 1


@pytest.mark.parametrize("code", ["invalidModel", "invalidLightType", "invalidImage"])
async def test_a_refusal_of_what_is_sent_again_does_not_free_the_call(
    shopping: Shopping, code: str
) -> None:
    """The record is not there yet, and a refusal of today says nothing of the call of then."""
    async with shopping() as opened:
        emulator = opened.emulator
        assert isinstance(emulator, RunwareEmulator)
        no_record = Spoil("details", "instead", 99, status=200, body=b'{"data": []}')
        emulator.faults = [Spoil("submit", "lost", 1), Spoil("submit", "unread", 99), no_record]
        assert (await opened.run())[0] is Exit.UNKNOWN
        emulator.faults, emulator.refuses = [no_record], code
        emulator.remembers = -1.0
        assert (await opened.run())[0] is Exit.UNKNOWN
        assert (opened.unknown(), len(emulator.bill)) == (JOBS, 1)
