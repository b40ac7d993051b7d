"""data.js and its parts: the sweep as columns, small and quick to read.

A classic script, because a page on `file://` may not fetch JSON. ASCII only, `<` escaped: nothing
that stands in a name can end a script or a line. The same runs give the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relightflow.gallery.axes import IMAGE, Table, facts
from relightflow.gallery.entries import STATUSES, CheckNote, Entry, Input
from relightflow.gallery.run import GalleryRun, ListPrice
from relightflow.model.money import Micros

FORMAT = 1
PART = 20_000
"""Cells in one file."""
SHORT = 16
"""Hex digits of a hash."""
_BEFORE, _AFTER = b"(window.relightflowData=window.relightflowData||[]).push(", b");"
"""Around each block of data."""


@dataclass(frozen=True, slots=True)
class CellAddress:
    """A relative URL, escaped, in two pieces: many files share a folder."""

    folder: str
    name: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """All that data.js says."""

    runs: Sequence[GalleryRun]
    labels: Sequence[str]
    table: Table
    inputs: Mapping[Input, tuple[bool, str]]
    """Input image → whether it has a thumbnail, and the URL of the full one or nothing."""
    shown: frozenset[str]
    """Hashes of the results that have a thumbnail."""
    addresses: Mapping[str, CellAddress]
    """Job + sha256 → where the full image is."""
    price: ListPrice | None = None
    file: str = ""
    """The recipe's file name, for the command that the page shows."""

    @property
    def entries(self) -> list[Entry]:
        return [entry for run in self.runs for entry in run.entries]


def scripts(sweep: Sweep) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of data.js and its parts."""
    entries = sweep.entries
    codes = _Codes()
    parts = [_part(sweep, entries, first, codes) for first in range(0, max(len(entries), 1), PART)]
    yield "data.js", _script(_head(sweep, entries, len(parts), codes)) + _script(parts[0])
    for number, part in enumerate(parts[1:], 1):
        yield f"data-{number}.js", _script(part)


@dataclass(slots=True)
class _Codes:
    """Values that many cells share, each written once."""

    looks: dict[tuple[int, int], int] = field(default_factory=dict)
    costs: dict[int, int] = field(default_factory=dict)
    reasons: dict[tuple[str, str], int] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)
    checks: dict[CheckNote, int] = field(default_factory=dict)


def _head(sweep: Sweep, entries: Sequence[Entry], parts: int, codes: _Codes) -> dict[str, Any]:
    heads = [run.head for run in sweep.runs]
    counts = Counter(entry.status for entry in entries)
    names = list(dict.fromkeys(head.recipe for head in heads))
    keys = {f"{image.sha256}{image.name}": image for image in sweep.inputs}
    axes = [facts(axis, {k: image.name for k, image in keys.items()}) for axis in sweep.table.axes]
    images = next(axis for axis in sweep.table.axes if axis.kind == IMAGE)
    return {
        "format": FORMAT,
        "name": "+".join(names),
        "title": " + ".join(sweep.labels),
        "file": sweep.file,
        "cells": len(entries),
        "parts": parts,
        "counts": {status: counts[status] for status in STATUSES},
        "spent": _spent(sweep.runs),
        "price": _price(sweep.price),
        "ratio": _ratio(entries),
        "runs": [
            {
                "label": label,
                "recipe": {"name": run.head.recipe, "sha256": run.head.sha256},
                "backend": run.head.backend,
                "model": run.head.model,
                **({"models": dict(run.head.models)} if run.head.models else {}),
                "manifest_sha256": run.manifest_sha256,
            }
            for run, label in zip(sweep.runs, sweep.labels, strict=True)
        ],
        "axes": axes,
        "images": [_input(sweep, keys[str(key)]) for key in images.values],
        "rejected": [[u.name, u.reason] for run in sweep.runs for u in run.unused],
        "looks": [list(look) for look in codes.looks],
        "costs": list(codes.costs),
        "reasons": [{"message": message, "billed": billed} for message, billed in codes.reasons],
        "folders": list(codes.folders),
        "checked": sorted({check.name for entry in entries for check in entry.checks}),
        "checks": [[c.name, c.verdict, c.severity, c.words] for c in codes.checks],
    }


def _input(sweep: Sweep, image: Input) -> dict[str, Any]:
    has_thumbnail, full = sweep.inputs[image]
    found = {"name": image.name, "sha256": image.sha256}
    if has_thumbnail:
        found["thumb"] = image.sha256[:SHORT]
    if full:
        found["full"] = full
    return found


def _part(sweep: Sweep, entries: Sequence[Entry], first: int, codes: _Codes) -> dict[str, Any]:
    chunk = entries[first : first + PART]
    reasons = [
        [offset, codes.reasons.setdefault((e.reason, e.billed), len(codes.reasons))]
        for offset, e in enumerate(chunk)
        if e.reason
    ]
    return {
        "first": first,
        "count": len(chunk),
        "axes": [_column(column[first : first + PART]) for column in sweep.table.columns],
        "status": _column([STATUSES.index(e.status) for e in chunk]),
        "look": _column(
            [
                codes.looks.setdefault((e.width, e.height), len(codes.looks)) if e.width else -1
                for e in chunk
            ]
        ),
        "cost": _column(
            [
                -1 if e.cost is None else codes.costs.setdefault(e.cost, len(codes.costs))
                for e in chunk
            ]
        ),
        "job": "".join(e.job for e in chunk),
        "result": "".join(
            e.sha256[:SHORT] if e.sha256 in sweep.shown else " " * SHORT for e in chunk
        ),
        "path": _paths(sweep, chunk, codes),
        "reasons": reasons,
        "passed": _column([sum(c.verdict == "pass" for c in e.checks) for e in chunk]),
        "checks": [
            [offset, told]
            for offset, e in enumerate(chunk)
            if (told := [_code(codes, c) for c in e.checks if c.verdict != "pass"])
        ],
    }


def _code(codes: _Codes, check: CheckNote) -> int:
    return codes.checks.setdefault(check, len(codes.checks))


def _paths(sweep: Sweep, chunk: Sequence[Entry], codes: _Codes) -> list[Any] | None:
    found = [sweep.addresses.get(e.job + e.sha256) for e in chunk]
    if not any(found):
        return None
    return [
        [codes.folders.setdefault(a.folder, len(codes.folders)), a.name] if a else 0 for a in found
    ]


def _column(values: list[int]) -> list[int] | int:
    """A column in which all are the same is that one value."""
    return values[0] if values and values.count(values[0]) == len(values) else values


def _spent(runs: Sequence[GalleryRun]) -> int:
    """What the jobs on the page cost, each counted once in its run."""
    return sum(
        sum({entry.job: entry.cost for entry in run.entries if entry.cost}.values()) for run in runs
    )


def _price(price: ListPrice | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {
        "backend": price.backend, "model": price.model, "low": price.low, "high": price.high
    }  # fmt: skip


def _ratio(entries: Sequence[Entry]) -> float:
    """Height to width of most results, within what a table can show."""
    looks = Counter((e.width, e.height) for e in entries if e.width and e.height)
    if not looks:
        return 1.0
    width, height = max(looks, key=lambda look: (looks[look], look))
    return round(min(max(height / width, 0.4), 1.8), 4)


def _script(block: Mapping[str, Any]) -> bytes:
    text = json.dumps(block, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c")
    return b"%s%s%s\n" % (_BEFORE, text.encode("ascii"), _AFTER)


def told_jobs(script: bytes) -> Iterator[tuple[str, str, Micros | None]]:
    """(job id, status, cost in micro-dollars) of each output in data.js or one of its parts, as far as
    it is ours. The costs of a part are numbers of the head's list, so they are told for data.js only."""
    costs: list[Any] = []
    for line in script.splitlines():
        if not (line.startswith(_BEFORE) and line.endswith(_AFTER)):
            return
        try:
            block = json.loads(line[len(_BEFORE) : -len(_AFTER)])
            if "job" not in block:
                costs = list(block["costs"])
                continue
            count, jobs = int(block["count"]), str(block["job"])
            for offset in range(min(count, len(jobs) // SHORT)):
                status = STATUSES[_at(block["status"], offset)]
                cost = _at(block["cost"], offset)
                amount = costs[cost] if 0 <= cost < len(costs) else None
                yield jobs[offset * SHORT : (offset + 1) * SHORT], status, amount
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            return


def _at(column: list[int] | int, offset: int) -> int:
    found = column[offset] if isinstance(column, list) else column
    if type(found) is not int:
        raise TypeError("not a column of numbers")
    return found
