"""The fault table of test_faults.py for a ComfyUI server: nothing costs, and nothing is made twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.inside import buying
from benchmarks.reliability.rehearsal import Work
from relightflow.errors import Exit

ONCE = "at: submit, nth: 1, fault: "
ALWAYS = "at: submit, fault: "
CELL = "at: submit, where: {client_id: relightflow}, nth: 1, fault: "
POLLS = "at: [status, result], fault: "


@dataclass(frozen=True)
class FreeRow:
    """One fault, and what must come of it."""

    name: str
    rule: str
    exit: Exit = Exit.OK
    words: str = ""
    then: Exit = Exit.OK
    made: int = 2
    """Calls that the server has run after both runs."""
    config: dict[str, Any] = field(default_factory=dict)


ROWS = (
    FreeRow("refused once", ONCE + "refuse, with: {seconds: 0}", Exit.EARLY),
    *(
        FreeRow(name, ONCE + rule, Exit.EARLY, "run again")
        for name, rule in (
            ("answer cut short", "cut"),
            ("empty body", "empty"),
            ("HTML body", "html"),
            ("garbage body", "garbage"),
            ("502 with html", "status, with: {code: 502, body: html, billed: true}"),
            ("503 in JSON", "status, with: {code: 503, billed: true}"),
        )
    ),
    FreeRow("reset, taken", ONCE + "reset-after-body", Exit.EARLY),
    FreeRow("reset, not taken", ONCE + "reset-after-body, with: {billed: false}", Exit.EARLY),
    FreeRow("no answer in time", ONCE + "hang, with: {seconds: 3}", Exit.EARLY),
    FreeRow(
        "workflow refused", ALWAYS + "status, with: {code: 400, message: 'missing node'}",
        Exit.JOBS_FAILED, "missing node", Exit.JOBS_FAILED, 0,
    ),
    FreeRow(
        "403 of a proxy", ALWAYS + "status, with: {code: 403, message: 'who are you'}",
        Exit.ACCOUNT, "who are you", Exit.ACCOUNT, 0,
    ),
    FreeRow(
        "redirect", ALWAYS + "redirect, with: {to: 'http://localhost:{port}{path}'}",
        Exit.REFUSED, "redirect", Exit.REFUSED, 0,
    ),
    FreeRow("job failed once", CELL + "job-failed, with: {error: out of memory}",
            Exit.JOBS_FAILED, "out of memory", made=3),
    FreeRow("forgotten after a restart", ONCE + "expire", Exit.JOBS_FAILED, "restarted", made=3),
    *(
        FreeRow(f"polls meet {what}", POLLS + f"{what}, limit: 4")
        for what in (
            "status, with: {code: 500}", "status, with: {code: 502, body: html}", "reset-after-body",
            "'hang', with: {seconds: 0.05}", "rate-limit", "empty", "html", "garbage", "cut",
        )
    ),
    FreeRow("upload fails for a while", "at: upload, limit: 2, fault: status, with: {code: 500}"),
    FreeRow("download cut", "at: download, limit: 2, fault: cut"),
    FreeRow("download fails for a while", "at: download, limit: 3, fault: status, with: {code: 503}"),
    FreeRow("download is garbage once", "at: download, limit: 1, fault: garbage"),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_a_fault_ends_as_the_table_says(row: FreeRow, tmp_path: Path) -> None:
    work = Work(cells=2, concurrency=1, backend="comfyui", model="ic-light")
    plan = f"rules:\n  - {{{row.rule}}}\n"
    async with buying(tmp_path, work, plan, **row.config) as shop:
        first = await shop.run()
        second = await shop.run()
        made = shop.emulator.bill()["requests"]
    assert first.exit is row.exit, first.said
    assert row.words in first.said, first.said
    assert second.exit is row.then, second.said
    assert len(made) == row.made, second.said
    assert not first.audit.states.get("UNKNOWN")
