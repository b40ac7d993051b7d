"""Every row of the fault table under submit, poll and download, and money: the exit code, the words
and the bill; then a second run, which buys nothing that was bought.

Two jobs, one after the other, in real HTTP against an emulator in this process. Where the history
shows nothing (`NEVER`), what is in doubt stays so; else it settles at the end of the run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.inside import buying
from benchmarks.reliability.rehearsal import Work
from relightflow.backends.segmind.hosts import SETTLING
from relightflow.errors import Exit

BOTH, V1, V2 = ("v1", "v2"), ("v1",), ("v2",)
NEVER: dict[str, Any] = {"history_lag": 1e6}
HELD = ("may have been billed, 0.05 USD", "unknown outcomes remain")
ONCE = "at: submit, nth: 1, fault: "
ALWAYS = "at: submit, fault: "
POLLS = "at: [status, result], fault: "
CELL = "at: submit, where: {light_type: softbox}, fault: "
"""The first of the two jobs."""


@dataclass(frozen=True)
class Row:
    """One fault, and what must come of it."""

    name: str
    apis: tuple[str, ...]
    rule: str
    exit: Exit = Exit.OK
    words: tuple[str, ...] = ()
    billed: int = 2
    """Calls on the bill after the first run."""
    then: Exit = Exit.OK
    """What the second run ends with."""
    end: int = 2
    """Calls on the bill after it."""
    submits: int | None = None
    """Billable calls on the wire in the first run."""
    config: dict[str, Any] = field(default_factory=dict)
    cap: int = 100_000_000


def held(name: str, apis: tuple[str, ...], rule: str, **more: Any) -> Row:
    """A call in doubt that nothing settles: exit 5, again and again, and never a second call."""
    facts: dict[str, Any] = {"config": NEVER, "then": Exit.UNKNOWN, "submits": 2} | more
    return Row(name, apis, rule, Exit.UNKNOWN, HELD, **facts)


def spoilt(name: str, apis: tuple[str, ...], rule: str, *words: str, **more: Any) -> Row:
    """Paid and no image: exit 1, said again by every run, and never bought again by itself."""
    said = ("billed, 0.05 USD", "not bought again automatically", *words)
    return Row(name, apis, rule, Exit.JOBS_FAILED, said, then=Exit.JOBS_FAILED, **more)


def unbilled(name: str, rule: str, code: Exit, *words: str, apis: Any = BOTH, **more: Any) -> Row:
    """Refused, not billed, for as long as the fault lasts."""
    facts: dict[str, Any] = {"billed": 1, "end": 1, "then": code} | more
    return Row(name, apis, rule, code, ("not billed", *words), **facts)


def stopped(name: str, rule: str, code: Exit, *words: str, **more: Any) -> Row:
    """Nothing was bought, and the run stopped at the first of the jobs."""
    facts: dict[str, Any] = {"billed": 0, "end": 0, "then": code, "submits": 1} | more
    return Row(name, BOTH, rule, code, words, **facts)


NOT_TAKEN = ("not to have been accepted", "not billed", "run again")
ROWS = (
    # the connection, at submit
    # the tries wait in a clock of their own, which is faster than any port: so it opens at once
    Row("refused once", BOTH, ONCE + "refuse, with: {seconds: 0}", Exit.EARLY, NOT_TAKEN, 1),
    Row("reset, taken", BOTH, ONCE + "reset-after-body"),
    Row("closed, taken", BOTH, ONCE + "reset-after-body, with: {how: close}"),
    Row(
        "reset, not taken", BOTH, ONCE + "reset-after-body, with: {billed: false}",
        Exit.EARLY, NOT_TAKEN, 1,
    ),
    held("reset, no record", BOTH, ONCE + "reset-after-body"),
    Row("no answer in time", BOTH, ONCE + "hang, with: {seconds: 3}"),
    held("no answer in time, no record", BOTH, ONCE + "hang, with: {seconds: 3}"),
    Row("answer cut short", BOTH, ONCE + "cut"),
    held("answer cut short, no record", V2, ONCE + "cut"),
    Row(
        "answer cut short, no record", V1, ONCE + "cut", Exit.UNKNOWN,
        ("billed, 0.05 USD", "unknown outcomes remain"), then=Exit.UNKNOWN, config=NEVER,
    ),
    # the answer, at submit
    Row("empty body", V1, ONCE + "empty"),
    Row("HTML body", V1, ONCE + "html"),
    Row("garbage body", V1, ONCE + "garbage"),
    spoilt("empty body, no record", V1, ONCE + "empty", "empty", config=NEVER),
    spoilt("HTML body, no record", V1, ONCE + "html", "not a supported image", config=NEVER),
    spoilt("garbage body, no record", V1, ONCE + "garbage", "not a supported image", config=NEVER),
    held("empty body", V2, ONCE + "empty"),
    held("HTML body", V2, ONCE + "html"),
    held("garbage body", V2, ONCE + "garbage"),
    *(
        held(f"request id {value}", V2, ONCE + f"request-id, with: {{value: {value}}}")
        for value in ("missing", "null", "17", '"../../etc/passwd"')
    ),
    unbilled("400", CELL + "status, with: {code: 400, message: 'Missing field'}", Exit.JOBS_FAILED),
    unbilled(
        "406 of a value", CELL + "status, with: {code: 406, message: 'Invalid value for light_type'}",
        Exit.JOBS_FAILED, "Invalid value",
    ),
    unbilled(
        "500 of a value", CELL + "status, with: {code: 500, message: 'Invalid light_type'}",
        Exit.JOBS_FAILED, "Invalid light_type",
    ),
    stopped("key refused", "", Exit.ACCOUNT, "key", config={"keys": frozenset({"SG_" + "9" * 16})}, submits=0),
    stopped(
        "no key arrived", ALWAYS + "status, with: {code: 401, message: "
        "'Missing Authorization or x-api-key in header'}", Exit.ACCOUNT, "key",
    ),
    stopped("403", "", Exit.ACCOUNT, config={"forbidden": frozenset({"segmind-relighting"})}),
    stopped(
        "410", "", Exit.JOBS_FAILED, "not billed",
        config={"retired": frozenset({"segmind-relighting"})},
    ),
    stopped("404", ALWAYS + "status, with: {code: 404, message: 'Model not found'}",
            Exit.JOBS_FAILED, "not billed"),
    stopped("405 in HTML", ALWAYS + "status, with: {code: 405, body: html}", Exit.JOBS_FAILED,
            "not billed"),
    Row(
        "credits run out", BOTH, "", Exit.ACCOUNT, ("credits",), 1, Exit.ACCOUNT, 1,
        config={"credits": 60_000},
    ),
    Row(
        "spend limit", BOTH, "", Exit.ACCOUNT, ("limit",), 1, Exit.ACCOUNT, 1,
        config={"spend_limit": 60_000},
    ),
    stopped("406 nobody knows", ALWAYS + "status, with: {code: 406, message: 'Moon in Scorpio'}",
            Exit.ACCOUNT, "Moon in Scorpio"),
    *(
        Row(f"429, reset {reset}", BOTH, ONCE + f"rate-limit, with: {{reset: {reset}}}", submits=3)
        for reset in ("good", "missing", "garbage", "past")
    ),
    stopped("429, reset far", ALWAYS + "rate-limit, with: {reset: far}", Exit.EARLY),
    *(
        Row(f"{code} in JSON once", apis, ONCE + f"status, with: {{code: {code}}}", submits=3)
        for code, apis in ((500, BOTH), (502, BOTH), (504, V2))
    ),
    unbilled("502 in JSON for ever", CELL + "status, with: {code: 502}", Exit.JOBS_FAILED, submits=4),
    *(
        held(f"{code} with {body}", BOTH, ONCE + f"status, with: {{code: {code}, body: {body}, billed: true}}")
        for code, body in ((502, "html"), (503, "html"), (504, "none"))
    ),
    held("504 in JSON", V1, ONCE + "status, with: {code: 504, billed: true}"),
    Row("502 in HTML, and recorded", BOTH, ONCE + "status, with: {code: 502, body: html, billed: true}"),
    stopped("redirect", ALWAYS + "redirect, with: {to: 'http://localhost:{port}{path}'}", Exit.REFUSED),
    Row("oversize", V1, ONCE + "oversize"),
    Row("bomb", V1, ONCE + "bomb, with: {size: 73400320}"),
    Row("oversize, no record", V1, ONCE + "oversize", Exit.EARLY, ("it was paid",),
        then=Exit.UNKNOWN, config=NEVER),
    held("oversize", V2, ONCE + "oversize"),
    held("bomb", V2, ONCE + "bomb, with: {size: 73400320}"),
    Row("drip", BOTH, ONCE + "drip, with: {pieces: 4, pause: 0.02}"),
    # the price
    *(
        Row(f"cost {value}", BOTH, f"at: [submit, result], fault: cost, with: {{value: {value}}}")
        for value in ("missing", "NaN", "-1")
    ),
    Row(
        "twice the price", BOTH, "at: submit, fault: cost, with: {times: 2.0}", Exit.BUDGET,
        ("charged 0.10 USD",), 1, Exit.OK, 2,
    ),
    Row("the cap is reached", BOTH, "", Exit.BUDGET, ("0.05",), 1, Exit.BUDGET, 1, cap=90_000),
    # polls
    Row("unknown status word", V2, "at: status, limit: 2, fault: unknown-status", words=("WARMING_UP",)),
    unbilled("job failed", CELL + "job-failed, with: {error: 'No face found'}", Exit.JOBS_FAILED,
             "No face found"),
    Row("404 for a while", V2, POLLS + "status, limit: 3, with: {code: 404}"),
    Row("expired, and recorded", V2, ONCE + "expire"),
    held("expired, no record", V2, ONCE + "expire"),
    *(
        Row(f"polls meet {what}", V2, POLLS + f"{what}, limit: 4", submits=2)
        for what in (
            "status, with: {code: 500}",
            "status, with: {code: 502, body: html}",
            "reset-after-body",
            "'hang', with: {seconds: 0.05}",
            "rate-limit",
            "empty",
            "html",
            "garbage",
            "cut",
            "clock-skew, with: {seconds: 4000}",
        )
    ),
    Row("urls of the submit lead away", V2, ALWAYS + "status-url, with: {url: 'http://127.0.0.1:9/x'}"),
    # downloads
    *(
        Row(
            f"the result is at {url}", V2, "at: [result, history], limit: 2, fault: output-url, "
            f"with: {{url: '{url}'}}", Exit.REFUSED, ("refused", "paid for"), 1, Exit.REFUSED, 1,
        )
        for url in ("https://example.com/a.jpg", "http://10.0.0.1/a.jpg", "http://169.254.169.254/a")
    ),
    Row("download cut", V2, "at: download, limit: 2, fault: cut"),
    Row("download short", V2, "at: download, limit: 1, fault: short"),
    Row("download fails for a while", V2, "at: download, limit: 3, fault: status, with: {code: 503}"),
    Row("download always cut off", V2, "at: download, limit: 40, fault: reset-after-body", Exit.EARLY),
    Row("download spoilt once", V2, "at: download, limit: 1, fault: garbage"),
    Row("download is garbage for a while", V2, "at: download, limit: 5, fault: garbage"),
    Row("download is empty for a while", V2, "at: download, limit: 5, fault: empty"),
    Row("download too large", V2, "at: download, limit: 1, fault: oversize", Exit.EARLY),
    Row("download under a wrong type", V2, "at: download, fault: wrong-type"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("row", "api"), [pytest.param(r, api, id=f"{api}-{r.name}") for r in ROWS for api in r.apis]
)
async def test_a_fault_ends_as_the_table_says(row: Row, api: str, tmp_path: Path) -> None:
    work = Work(api, cells=2, concurrency=1)
    plan = f"rules:\n  - {{{row.rule}}}\n" if row.rule else ""
    # a history that lags so is no stand-in's that settles at once
    environ = {SETTLING: ""} if row.config == NEVER else {}
    async with buying(tmp_path, work, plan, environ, **row.config) as shop:
        first = await shop.run(row.cap)
        sent = shop.submits()
        second = await shop.run(row.cap)
    assert first.exit is row.exit, first.said
    missing = [word for word in row.words if word not in first.said]
    assert not missing
    assert first.audit.sound, first.audit
    assert first.audit.billed == row.billed
    assert row.submits in (None, sent)
    assert second.exit is row.then, second.said
    assert second.audit.sound, second.audit
    assert second.audit.billed == row.end
