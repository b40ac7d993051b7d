"""Comfy Router: every fault of the wire, kills, keys that are replayed; no doubt is left at the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from relightflow.backends.comfy.adapter import Comfy
from relightflow.backends.comfy.emulator import ComfyEmulator
from relightflow.backends.comfy.hosts import ComfyHosts
from relightflow.backends.comfy.models import MODELS
from relightflow.backends.emulator.plain import Spoil
from relightflow.backends.http.hosts import in_force
from relightflow.errors import Exit
from relightflow.model.failure import FailureKind
from relightflow.model.job import Job
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call
from relightflow.testing import backend_context, sample_image, sample_image_bytes
from tests.backends.conftest import error
from tests.backends.http.named import JOBS, KEY, PRICE, Row, Shopping, check_row, row, shopping_at

shopping = shopping_at("comfy", ComfyEmulator)


def _said(status: int, kind: str, detail: Any = "no", **facts: Any) -> dict[str, Any]:
    body = json.dumps({"detail": detail}).encode()
    return {"status": status, "body": body, "headers": {"X-Comfy-Error-Type": kind}, **facts}


def _refusal(kind: str, status: int, *words: str, end: Exit, **facts: Any) -> Row:
    spoil = Spoil("submit", "instead", 9, **_said(status, kind))
    return Row(f"{status} {kind}", (spoil,), end, words, **({"billed": 0} | facts))


def _always(said: Any) -> Callable[[Any], Any]:
    return lambda _: said


_AFTER = {"Retry-After": "1", "X-Comfy-Error-Type": "concurrency_limit_exceeded"}
_ROW = [{"loc": ["body", "light_type"], "msg": "light_type is not allowed", "type": "value_error"}]
_SAID: tuple[Any, ...] = ([], {"credits": "NaN"}, {"cost": {"credits": 8}}, {"price": 100})
_ESTIMATES = tuple(
    row(f"the estimate is {said}", "estimate", "change", times=9, change=_always(said))
    for said in _SAID
)
ROWS = (
    row("a list in place of the answer, taken", "submit", "behind", status=200, body=b"[1]"),
    row("the first still runs", "submit", "behind", status=409, body=b'{"detail": "runs"}', headers=_AFTER),
    row("its deadline passes, taken", "submit", "behind", **_said(504, "deadline_exceeded")),
    row("its maker is late, taken", "submit", "behind", **_said(504, "provider_timeout")),
    row("an error inside, taken", "submit", "behind", **_said(500, "internal_error")),
    row("a kind that nobody knows, not taken", "submit", "instead", **_said(500, "moon_in_scorpio")),
    _refusal("unauthorized", 401, "COMFY_API_KEY", end=Exit.ACCOUNT),
    _refusal("insufficient_credits", 402, "credits are used up", end=Exit.ACCOUNT),
    _refusal("not_enabled", 403, "workspace", end=Exit.ACCOUNT),
    _refusal("model_not_found", 404, "no such model", "not billed", end=Exit.JOBS_FAILED),
    Row("422", (Spoil("submit", "instead", 1, **_said(422, "invalid_input", _ROW)),), Exit.JOBS_FAILED,
        ("light_type is not allowed", "not billed"), billed=1),
    Row("a lost 422", (
        Spoil("submit", "unread", 1), Spoil("submit", "instead", 1, 1, **_said(422, "invalid_input", _ROW)),
    ), Exit.JOBS_FAILED, ("light_type is not allowed",), billed=1),
    Row("policy", (Spoil("submit", "instead", 1, **_said(400, "content_policy_violation")),),
        Exit.JOBS_FAILED, ("counts as billed",), billed=1, then=Exit.JOBS_FAILED, end=1),
    row("429 once", "submit", "instead", **_said(429, "rate_limited")),
    row("too much spending in flight", "submit", "instead", status=429, body=b'{"detail": "x"}', headers=_AFTER),
    Row("its result cannot be replayed", (Spoil("submit", "lost", 1),), Exit.UNKNOWN,
        ("its result cannot be had again",), then=Exit.OK, emulator={"replays": False}),
    row("the estimate is higher", "estimate", "change", times=9, change=lambda _: {"credits": 9.0},
        exit=Exit.JOBS_FAILED, words=("would charge 0.04265", "not billed"), billed=0),
    *_ESTIMATES,
    row("no estimate for the model", "estimate", "instead", times=9, **_said(404, "not_found")),
    row("the list of models is away", "catalogue", "instead", times=1, status=404),
    row("another shape of the result", "submit", "change",
        change=lambda a: {"data": {"generated": [a["result"]["image_url"]], "status": "COMPLETED"}}),
    row("no image in the result", "submit", "change", change=lambda _: {"status": "ERROR", "error": "blocked"},
        exit=Exit.JOBS_FAILED, words=("blocked", "paid for"), then=Exit.JOBS_FAILED),
    row("the result is elsewhere", "submit", "change", exit=Exit.REFUSED, billed=1, words=("paid for",),
        change=lambda _: {"result": {"image_url": "https://example.com/a.jpg"}}, then=Exit.REFUSED, end=1),
)  # fmt: skip


@pytest.mark.parametrize("found", ROWS, ids=lambda found: found.name)
async def test_a_fault_ends_as_the_table_says(shopping: Shopping, found: Row) -> None:
    async with shopping() as opened:
        await check_row(opened, found)


async def test_a_call_that_outlasts_its_deadline_is_collected_under_its_key(
    shopping: Shopping,
) -> None:
    """The router holds a request for so long, the call goes on, and the next request finds it running."""
    async with shopping(seconds=0.3, holds=0.05) as opened:
        code, said = await opened.run()
        assert code is Exit.OK, said
        assert (len(opened.emulator.bill), opened.unknown()) == (JOBS, 0)
        assert opened.emulator.seen["submit"] > 2 * JOBS


async def test_a_key_that_is_forgotten_is_not_sent_again(shopping: Shopping) -> None:
    async with shopping() as opened:
        opened.emulator.faults = [Spoil("submit", "lost", 99)]
        assert (await opened.run())[0] is Exit.UNKNOWN
        opened.emulator.faults = []
        submits, opened.emulator.skew = opened.emulator.seen["submit"], 86_000.0
        code, said = await opened.run()
        assert (code, opened.emulator.seen["submit"]) == (Exit.UNKNOWN, submits)
        assert "remembers a call's name for 24 hours" in said


async def test_under_another_key_a_doubt_waits_for_the_first(
    shopping: Shopping, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shopping() as opened:
        opened.emulator.faults = [Spoil("submit", "lost", 99)]
        assert (await opened.run())[0] is Exit.UNKNOWN
        opened.emulator.faults, submits = [], opened.emulator.seen["submit"]
        monkeypatch.setenv("COMFY_API_KEY", "comfyui-another-account")
        opened.emulator.key = "comfyui-another-account"
        code, said = await opened.run()
        assert (code, "another key" in said) == (Exit.UNKNOWN, True)
        assert opened.emulator.seen["submit"] == submits
        monkeypatch.setenv("COMFY_API_KEY", KEY)
        opened.emulator.key = KEY
        assert (await opened.run())[0] is Exit.OK
        assert (len(opened.emulator.bill), opened.unknown()) == (JOBS, 0)


async def test_the_cost_is_the_headers_and_the_lists_where_it_is_missing(
    shopping: Shopping,
) -> None:
    """An answer that is replayed does not say what the call cost."""
    async with shopping() as opened:
        opened.emulator.faults = [Spoil("submit", "lost", 1)]
        assert (await opened.run())[0] is Exit.OK
        costs = sorted(attempt.cost or 0 for attempt in opened.attempts())
        assert costs == [0, PRICE]  # the first is not known and counts at its price


async def test_a_price_above_the_plans_is_refused_each_time_it_is_asked_for() -> None:
    """The engine stops a cell that is refused, and another call of it may be on its way by then."""
    emulator, usual = ComfyEmulator(KEY), ComfyHosts()
    emulator.credits = 9.0
    async with emulator.running():
        where = in_force(usual, {usual.variable: emulator.url})
        backend = Comfy(backend_context(MODELS[0]), lambda _: KEY, where)
        await backend.open()
        given = sample_image(sample_image_bytes())
        job = Job("a", given, "comfy", MODELS[0].name, MODELS[0].normalise(FrozenMap()), 0)
        call = Call(job, await backend.prepare(given, sample_image_bytes()), "a" * 32)
        for _ in range(2):
            failure = await error(backend.submit(replace(call, body=backend.request_body(call))))
            assert failure.kind is FailureKind.REFUSED_CELL
        await backend.close()
    assert not emulator.bill
