"""The fault table of test_faults.py for fal: its queue, its request history, its ways to say no.

fal does not say what its queue answers to a submit beside success, nor that a 422 is free: so more stays
unknown here than with Segmind, until the history has it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.inside import buying
from benchmarks.reliability.rehearsal import Work
from relightflow.backends.fal.hosts import SETTLING
from relightflow.errors import Exit
from tests.reliability.test_faults import NEVER, Row

ONCE = "at: submit, nth: 1, fault: "
ALWAYS = "at: submit, fault: "
POLLS = "at: [status, result], fault: "
CELL = "at: submit, where: {light_direction: front}, fault: "
"""The first of the two jobs."""
FAL = ("fal",)
HELD = ("may have been billed, 0.04 USD", "unknown outcomes remain")
MODEL = "bria/fibo-edit/relight"


def row(name: str, rule: str, *args: Any, **more: Any) -> Row:
    return Row(name, FAL, rule, *args, **more)


def held(name: str, rule: str, **more: Any) -> Row:
    """A call in doubt that nothing settles: exit 5, again and again, and never a second call."""
    facts: dict[str, Any] = {"config": NEVER, "then": Exit.UNKNOWN, "submits": 2} | more
    return row(name, rule, Exit.UNKNOWN, HELD, **facts)


def stopped(name: str, rule: str, code: Exit, *words: str, **more: Any) -> Row:
    """Nothing was bought, and the run stopped at the first of the jobs."""
    facts: dict[str, Any] = {"billed": 0, "end": 0, "then": code, "submits": 1} | more
    return row(name, rule, code, words, **facts)


NOT_TAKEN = ("not to have been accepted", "not billed", "run again")
MAYBE = "may bill that"
ROWS = (
    # the connection, at submit
    row("refused once", ONCE + "refuse, with: {seconds: 0}", Exit.EARLY, NOT_TAKEN, 1),
    row("reset, taken", ONCE + "reset-after-body"),
    row("closed, taken", ONCE + "reset-after-body, with: {how: close}"),
    row("reset, not taken", ONCE + "reset-after-body, with: {billed: false}", Exit.EARLY, NOT_TAKEN, 1),
    held("reset, no record", ONCE + "reset-after-body"),
    row("no answer in time", ONCE + "hang, with: {seconds: 3}"),
    held("no answer in time, no record", ONCE + "hang, with: {seconds: 3}"),
    row("answer cut short", ONCE + "cut"),
    held("answer cut short, no record", ONCE + "cut"),
    # the answer, at submit
    *(held(f"{what} body", ONCE + what) for what in ("empty", "html", "garbage")),
    *(row(f"{what} body, recorded", ONCE + what) for what in ("empty", "html", "garbage")),
    *(
        held(f"request id {value}", ONCE + f"request-id, with: {{value: {value}}}")
        for value in ("missing", "null", "17", '"../../etc/passwd"')
    ),
    row("400", CELL + "status, with: {code: 400, message: 'Invalid JSON'}", Exit.JOBS_FAILED,
        ("not billed",), 1, Exit.JOBS_FAILED, 1),
    stopped("key refused", "", Exit.ACCOUNT, "key", config={"keys": frozenset({"other:key"})}, submits=0),
    stopped("locked", "", Exit.ACCOUNT, "locked", config={"forbidden": frozenset({MODEL})}),
    stopped("no credits", "", Exit.ACCOUNT, "balance", config={"credits": 0}),
    stopped("404", "", Exit.JOBS_FAILED, "not billed", config={"retired": frozenset({MODEL})}),
    *(
        row(f"429, reset {reset}", ONCE + f"rate-limit, with: {{reset: {reset}}}", submits=3)
        for reset in ("good", "missing", "garbage", "past")
    ),
    *(
        held(f"{code} with {body}", ONCE + f"status, with: {{code: {code}, body: {body}, billed: true}}")
        for code, body in ((500, "json"), (502, "html"), (503, "json"), (504, "none"))
    ),
    *(
        row(f"{code} with {body}, recorded",
            ONCE + f"status, with: {{code: {code}, body: {body}, billed: true}}")
        for code, body in ((500, "json"), (502, "html"), (503, "json"), (504, "none"))
    ),
    row("422 at submit, not taken", ONCE + "status, with: {code: 422}", Exit.UNKNOWN,
        ("nothing more was sent", "The next purchase settles it"), 0, Exit.EARLY, 1),
    stopped("redirect", ALWAYS + "redirect, with: {to: 'http://localhost:{port}{path}'}", Exit.REFUSED),
    held("oversize", ONCE + "oversize"),
    held("bomb", ONCE + "bomb, with: {size: 73400320}"),
    row("drip", ONCE + "drip, with: {pieces: 4, pause: 0.02}"),
    row("the cap is reached", "", Exit.BUDGET, ("0.04",), 1, Exit.BUDGET, 1, cap=70_000),
    # polls
    row("unknown status word", "at: status, limit: 2, fault: unknown-status", words=("WARMING_UP",)),
    row("job failed", CELL + "job-failed, with: {error: 'No face found'}", Exit.JOBS_FAILED,
        ("not billed", "No face found"), 1, Exit.JOBS_FAILED, 1),
    row("refused with a 422", CELL + "job-failed, with: {error: 'refused: no subject'}", Exit.UNKNOWN,
        (MAYBE, "no subject", "relightflow resolve"), 1, Exit.UNKNOWN, 1, submits=2),
    row("404 for a while", POLLS + "status, limit: 3, with: {code: 404}"),
    row("expired, and recorded", ONCE + "expire"),
    held("expired, no record", ONCE + "expire"),
    *(
        row(f"polls meet {what}", POLLS + f"{what}, limit: 4", submits=2)
        for what in (
            "status, with: {code: 500}", "status, with: {code: 502, body: html}", "reset-after-body",
            "'hang', with: {seconds: 0.05}", "rate-limit", "empty", "html", "garbage", "cut",
            "clock-skew, with: {seconds: 4000}",
        )
    ),
    row("the result is a proxy's 422", "at: result, limit: 4, fault: status, with: {code: 422, body: html}"),
    row("urls of the submit lead away", ALWAYS + "status-url, with: {url: 'http://127.0.0.1:9/x'}"),
    # downloads
    *(
        row(f"the result is at {url}",
            f"at: [result, history], limit: 2, fault: output-url, with: {{url: '{url}'}}",
            Exit.REFUSED, ("refused", "paid for"), 1, Exit.REFUSED, 1)
        for url in ("https://example.com/a.jpg", "http://10.0.0.1/a.jpg", "http://169.254.169.254/a")
    ),
    row("download cut", "at: download, limit: 2, fault: cut"),
    row("download short", "at: download, limit: 1, fault: short"),
    row("download fails for a while", "at: download, limit: 3, fault: status, with: {code: 503}"),
    row("download always cut off", "at: download, limit: 40, fault: reset-after-body", Exit.EARLY),
    row("download spoilt once", "at: download, limit: 1, fault: garbage"),
    row("download is garbage for a while", "at: download, limit: 5, fault: garbage"),
    row("download is empty for a while", "at: download, limit: 5, fault: empty"),
    row("download too large", "at: download, limit: 1, fault: oversize", Exit.EARLY),
    row("download under a wrong type", "at: download, fault: wrong-type"),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_a_fault_ends_as_the_table_says(row: Row, tmp_path: Path) -> None:
    work = Work(cells=2, concurrency=1, backend="fal", model=MODEL)
    plan = f"rules:\n  - {{{row.rule}}}\n" if row.rule else ""
    # a history that lags so is no stand-in's that settles at once
    environ = {SETTLING: ""} if row.config == NEVER else {}
    async with buying(tmp_path, work, plan, environ, **row.config) as shop:
        first = await shop.run(row.cap)
        sent = shop.submits()
        second = await shop.run(row.cap)
    assert first.exit is row.exit, first.said
    missing = [word for word in row.words if word not in first.said]
    assert not missing, first.said
    assert first.audit.sound, first.audit
    assert first.audit.billed == row.billed
    assert row.submits in (None, sent)
    assert second.exit is row.then, second.said
    assert second.audit.sound, second.audit
    assert second.audit.billed == row.end
