"""Holds a ledger against the provider's bill and names every difference.

It reads both as a stranger would: the ledger's file with plain SQL, the bill over HTTP.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

DOUBTFUL = ("INTENT", "UNKNOWN")


@dataclass(frozen=True, slots=True)
class Audit:
    billed: int = 0
    twice: int = 0
    """Calls billed beyond one for each job."""
    lost: tuple[str, ...] = ()
    """Billed, and the ledger neither knows the request nor holds a doubt for its job."""
    invented: tuple[str, ...] = ()
    """The ledger says billed, the bill does not."""
    states: Mapping[str, int] = field(default_factory=dict)
    differs: tuple[str, ...] = ()
    """Requests whose cost the two tell differently."""

    @property
    def unknown(self) -> int:
        return sum(self.states.get(state, 0) for state in DOUBTFUL)

    @property
    def sound(self) -> bool:
        return not (self.twice or self.lost or self.invented or self.differs)


def audit(
    state: Path, bill: Sequence[Mapping[str, Any]], repeat: int = 1, backend: str = ""
) -> Audit:
    """`state`: the folder with the ledger; no process must write there now. `backend`: only its calls;
    empty: all."""
    attempts = rows(state / "ledger.sqlite3")
    attempts = [row for row in attempts if backend in ("", row["backend"])]
    what = [job_of(row) for row in bill]
    twice = sum(max(0, count - repeat) for count in Counter(what).values())
    ours = {row["request_id"]: row for row in attempts if row["request_id"]}
    doubts = Counter(
        _job(row["model"], row["image_sha256"], json.loads(row["parameters"]))
        for row in attempts
        if row["state"] in DOUBTFUL and not row["request_id"]
    )
    lost, differs = [], []
    for row, job in zip(bill, what, strict=True):
        mine = ours.get(row["request_id"])
        if mine is None and doubts[job]:
            doubts[job] -= 1
        elif mine is None:
            lost.append(row["request_id"])
        elif mine["cost"] is not None and mine["cost"] != round(row["cost"] * 1_000_000):
            differs.append(row["request_id"])
    theirs = {row["request_id"] for row in bill}
    invented = [number for number, row in ours.items() if _said(row) and number not in theirs]
    return Audit(
        len(bill),
        twice,
        tuple(lost),
        tuple(invented),
        Counter(row["state"] for row in attempts),
        tuple(differs),
    )


def _said(attempt: Mapping[str, Any]) -> bool:
    return bool(attempt["billed"] == "yes")


def rows(ledger: Path) -> list[dict[str, Any]]:
    """The ledger's attempts, read as a stranger would."""
    if not ledger.exists():
        return []
    # not read-only: a killed writer's WAL must be read too, and nobody else has the file open
    db = sqlite3.connect(ledger)
    try:
        db.row_factory = sqlite3.Row
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'attempt'").fetchone():
            return []
        return [dict(row) for row in db.execute("SELECT * FROM attempt ORDER BY id")]
    finally:
        db.close()


def job_of(row: Mapping[str, Any]) -> str:
    """What a row of the bill was asked for: model, image, parameters."""
    return _job(row["model"], _content(row["image"]), row["parameters"])


def _job(model: str, image: str, parameters: Mapping[str, Any]) -> str:
    return json.dumps([model, image, parameters], sort_keys=True)


@cache
def _content(image: str) -> str:
    """sha256 of a sent image's bytes: two uploads of one image are one."""
    if not image.startswith("http"):
        return image.removeprefix("data:").split("sha256:")[-1].strip()
    for _ in range(20):  # the fault plan is for all callers
        try:
            with urllib.request.urlopen(image, timeout=30) as answer:
                return hashlib.sha256(answer.read()).hexdigest()
        except OSError:
            continue
    raise AssertionError(f"{image} cannot be fetched")
