"""What `relightflow store` made or found, in words and as JSON documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.job import SHORT
from relightflow.model.money import usd
from relightflow.report import escape, table
from relightflow.report.json import VERSION
from relightflow.report.text import count, money
from relightflow.store.marker import StoreMarker

_SAID = {
    State.INTENT: "no answer told",
    State.ACCEPTED: "accepted",
    State.UNKNOWN: "unknown",
    State.FAILED: "paid, no image",
}


def store_made(url: str, marker: StoreMarker, new: bool, kept: int) -> str:
    """What `store init` made, and whether claims hold there."""
    where = escape.terminal(url)
    there = (
        f"; the {count(kept, 'finished job')} in it stay{'s' if kept == 1 else ''}" if kept else ""
    )
    lines = [f"{where} is {'now ' if new else ''}a shared store{there}"]
    if marker.atomic:
        lines.append(
            f"  claims hold: in {count(marker.pairs, 'race')}, one of two writers won. Machines that run at "
            "the same time buy each job once"
        )
    else:
        lines.append(
            f"! claims do not hold: both writers won {marker.doubles:,} of {count(marker.pairs, 'race')}. "
            "Machines that run at the same time may both buy a job: let one run at a time, or give each a "
            "part of its own with --shard"
        )
    return "\n".join(lines)


def store_document(url: str, marker: StoreMarker, new: bool, kept: int) -> dict[str, Any]:
    races = {"races": marker.pairs, "double_winners": marker.doubles}
    facts = {"url": url, "id": marker.id, "new": new, "finished_jobs": kept}
    return {**_kind("store"), **facts, "claims_hold": marker.atomic, **races}


def claims(found: Sequence[JobClaim], released: bool) -> str:
    """Who has which job, since when, for how much at most."""
    if not found:
        return "no job is claimed"
    price = money(sum(claim.price for claim in found))
    if released:
        return (
            f"{count(len(found), 'claim')} released; {price} counts as spent, and the next run buys"
        )
    head = ("job", "state", "machine", "run", "since", "price")
    body = [
        (
            claim.key[:SHORT], _SAID[claim.state], claim.machine or "-", claim.run or "-",
            _time(claim), money(claim.price),
        )
        for claim in found
    ]  # fmt: skip
    lines = table.measured(head, [tuple(map(escape.terminal, row)) for row in body])
    return "\n".join([f"{count(len(found), 'claim')}, up to {price}", *(f"  {x}" for x in lines)])


def claims_document(url: str, found: Sequence[JobClaim], released: bool) -> dict[str, Any]:
    return {
        **_kind("store-claims"),
        "url": url,
        "released": released,
        "claims": [
            {
                "key": claim.key,
                "state": claim.state,
                "machine": claim.machine,
                "run": claim.run,
                "attempt": claim.attempt,
                "since": _time(claim),
                "price_usd": usd(claim.price),
                "request_id": claim.request_id,
            }
            for claim in found
        ],
    }


def _time(claim: JobClaim) -> str:
    return datetime.fromtimestamp(claim.at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _kind(name: str) -> dict[str, Any]:
    return {"kind": name, "version": VERSION}
