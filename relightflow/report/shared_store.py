"""What `relightflow store` made or found, in words and as JSON documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.job import SHORT
from relightflow.model.money import usd
from relightflow.model.store_status import RunShare, StoreStatus
from relightflow.report import escape, table
from relightflow.report.json import VERSION
from relightflow.report.text import count, money
from relightflow.store.marker import StoreMarker

_RUNS = 20
_LATEST = 253_402_300_799.0
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


def status(found: StoreStatus) -> str:
    """What the store promises, and which machine spent, claims and reserves what."""
    total = found.total
    held = "jobs are bought once and limits hold for all machines together"
    promise = (
        f"{held} ({count(found.pairs, 'race')}, one winner each)"
        if found.atomic
        else f"none: both writers won {found.doubles:,} of {count(found.pairs, 'race')}; let one machine run "
        "at a time, or use --shard"
    )
    lines = [
        f"{escape.terminal(found.url)}: {count(found.results, 'finished job')}",
        f"  promise   {promise}",
        f"  paid      {money(total.paid)} for {count(total.calls, 'call')}",
        f"  claimed   {count(total.claims, 'job')}, up to {money(total.claimed)}",
        f"  reserved  {money(total.reserved)} more",
    ]
    if not found.runs:
        return "\n".join(lines)
    head = ("machine", "run", "recipe", "calls", "paid", "claimed", "reserved", "last call")
    body = [
        (
            one.machine or "-", one.run or "-", one.recipe or "-", f"{one.calls:,}", money(one.paid),
            f"{one.claims:,}", money(one.reserved), _moment(one.last),
        )
        for one in found.runs[:_RUNS]
    ]  # fmt: skip
    lines += ["", *table.measured(head, [tuple(map(escape.terminal, row)) for row in body])]
    if len(found.runs) > _RUNS:
        lines.append(f"and {count(len(found.runs) - _RUNS, 'earlier run')}; --json lists all")
    if total.claims:
        lines.append(f"'relightflow store claims {escape.terminal(found.url)}' lists the claims")
    return "\n".join(lines)


def status_document(found: StoreStatus) -> dict[str, Any]:
    return {
        **_kind("store-status"),
        "url": found.url,
        "id": found.id,
        "claims_hold": found.atomic,
        "races": found.pairs,
        "double_winners": found.doubles,
        "finished_jobs": found.results,
        "total": _share(found.total),
        "runs": [
            {"machine": one.machine, "run": one.run, "recipe": one.recipe, **_share(one)}
            for one in found.runs
        ],
    }


def _share(one: RunShare) -> dict[str, Any]:
    return {
        "calls": one.calls,
        "paid_usd": usd(one.paid),
        "claims": one.claims,
        "claimed_usd": usd(one.claimed),
        "reserved_usd": usd(one.reserved),
        "last_call": _moment(one.last) if one.last else None,
    }


def _time(claim: JobClaim) -> str:
    return _moment(claim.at)


def _moment(at: float) -> str:
    """Clocks have been set to every year there is."""
    return datetime.fromtimestamp(min(at, _LATEST), UTC).strftime("%Y-%m-%d %H:%M UTC")


def _kind(name: str) -> dict[str, Any]:
    return {"kind": name, "version": VERSION}
