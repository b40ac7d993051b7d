"""Reports as JSON documents: the same facts as the words, for programs.

One document a recipe, on one line. Every document says its `kind` and the `version` of its form:
fields are added within a version, never renamed. Money is a number of US dollars, null is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from relightflow.errors import InvalidRecipe, Problem, RelightflowError
from relightflow.model.attempt import Attempt
from relightflow.model.catalog import Price
from relightflow.model.cost_estimate import BackendEstimate, CostEstimate
from relightflow.model.money import Micros, usd
from relightflow.model.plan import Plan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.planned_output import PlannedOutput
from relightflow.model.recipe import Recipe
from relightflow.model.restoration import Restoration
from relightflow.model.status import Status
from relightflow.model.summary import Summary
from relightflow.model.values import thaw
from relightflow.plan.difference import Change, PlanDifference
from relightflow.report import escape

VERSION = 1
_Document = dict[str, Any]


def text(document: _Document) -> str:
    """`document` on one line, ASCII, so that no terminal and no log reads anything into it."""
    return escape.json_log(json.dumps(document, ensure_ascii=True, allow_nan=False))


def stream(document: _Document, field: str, items: Iterable[_Document]) -> Iterator[str]:
    """`document` with one more field, a list that may be too long to hold: pieces of one line."""
    yield text(document)[:-1] + f', "{field}": ['
    for number, item in enumerate(items):
        yield (", " if number else "") + text(item)
    yield "]}"


def valid(path: str, recipe: Recipe, cells: int, warnings: Sequence[str]) -> _Document:
    return {
        **_kind("validation"),
        "path": path,
        "valid": True,
        "recipe": recipe.name,
        **_backends(recipe),
        "cells": cells,
        "warnings": list(warnings),
        "problems": [],
    }


def _backends(recipe: Recipe, estimates: Sequence[BackendEstimate] = ()) -> _Document:
    """`backend` and `model`; where there are several also each one, and what it would cost."""
    if not recipe.more_backends:
        return {"backend": recipe.backend.type, "model": recipe.backend.model.name}
    each = [dict[str, object](one) for one in recipe.backend_facts]
    for facts, found in zip(each, estimates, strict=False):
        share = found.share
        facts |= {
            "calls": found.calls,
            "price_usd": _price(found.price),
            "call_usd": _price(found.call),
            "share_usd": usd(share.limit.amount) if share else None,
            "share_left_usd": usd(share.left) if share else None,
        }
    return {"backend": recipe.backend_names, "model": recipe.model_names, "backends": each}


def failed(path: str, error: RelightflowError) -> _Document:
    """What is said in place of any other document where a recipe cannot be used."""
    return {
        **_kind("error"),
        "path": path,
        "valid": False,
        "error": type(error).__name__,
        "message": str(error),
        "exit": int(error.exit_code),
        "problems": [_problem(p) for p in error.problems]
        if isinstance(error, InvalidRecipe)
        else [],
    }


def plan(found: Plan, plan_status: PlanStatus, estimate: CostEstimate) -> _Document:
    recipe = found.recipe
    tightest = estimate.limits[0] if estimate.limits else None
    return {
        **_kind("plan"),
        "path": str(recipe.path),
        "recipe": recipe.name,
        "sha256": recipe.sha256,
        **_backends(recipe, estimate.backends),
        "rehearsed": recipe.rehearsed,
        "images": len(found.images),
        "sends": list(plan_status.disclosures),
        "rejected": [
            {"name": r.name, "reason": r.reason, "passing": r.passing} for r in found.rejected
        ],
        "passed_over": dict(found.passed_over),
        "axes": list(found.axes),
        "cells": len(found.cells),
        "repeat": found.repeat,
        "outputs_count": found.outputs_count,
        "jobs": plan_status.jobs,
        "done": plan_status.done,
        "new": plan_status.new,
        "shared": plan_status.shared,
        "store_fault": plan_status.store_fault or None,
        "collect": plan_status.collect,
        "unknown": plan_status.unknown,
        "held_failed": plan_status.held_failed,
        "work": plan_status.work or bool(estimate.calls),
        "calls": estimate.calls,
        "seconds": estimate.time and estimate.time.seconds,
        "price_usd": _price(estimate.price),
        "whole_price_usd": _price(found.price),
        "unknown_price_usd": usd(plan_status.unknown_price),
        "restored": restored(plan_status.restoration),
        "bought_elsewhere": plan_status.elsewhere or None,
        "committed_usd": usd(tightest.committed) if tightest else 0.0,
        "cap_usd": usd(tightest.limit.amount) if tightest else None,
        "cap_source": tightest.limit.source if tightest else "",
        "cap_suffices": estimate.enough,
        "limits": [
            {
                "source": status.limit.source,
                "limit_usd": usd(status.limit.amount),
                "window_seconds": status.limit.window,
                "committed_usd": usd(status.committed),
            }
            for status in estimate.limits
        ],
        "warnings": list(found.warnings),
    }


def difference(found: PlanDifference) -> _Document:
    """What `plan --against` adds to a plan's document."""
    return {
        "known": found.known,
        "added": found.added,
        "removed": found.removed,
        "kept": found.kept,
        "new": found.new,
        "reused": found.reused,
        "collect": found.collect,
        "unknown": found.unknown,
        "price_usd": _price(found.price),
        "images": [_change(change) for change in found.images],
        "values": [_change(change) for change in found.values],
        "note": found.note,
    }


def _change(found: Change) -> _Document:
    return {"name": found.name, "added": found.added, "removed": found.removed}


def restored(found: Restoration) -> _Document:
    """What the next run puts back into an older ledger."""
    return {
        "results": found.results,
        "open": found.calls,
        "failed": found.ended,
        "repeated": found.repeated,
        "price_usd": usd(found.price),
    }


def planned_output(found: PlannedOutput) -> _Document:
    """One line of `plan --jobs`."""
    output = found.output
    return {
        "index": output.index,
        "job": output.job.id,
        "key": output.job.key,
        "image": output.image.name,
        "image_sha256": output.image.sha256,
        "parameters": thaw(output.job.parameters),
        "repeat": output.repeat,
        "action": str(found.action),
        "reason": found.reason,
        "location": found.location,
        "path": found.path,
    }


def summary(found: Summary) -> _Document:
    counts, money = found.counts, found.money
    return {
        **_kind("summary"),
        "run_id": found.run_id,
        "recipe": found.recipe,
        "backend": found.backend,
        "model": found.model,
        "exit": {
            "code": int(found.exit),
            "meaning": found.exit.meaning,
            "all": sorted({int(issue.exit) for issue in found.issues}),
        },
        "counts": {name: getattr(counts, name) for name in counts.__slots__},
        "money": {
            "spent_usd": usd(money.spent),
            "in_flight_usd": usd(money.in_flight),
            "unknown_usd": usd(money.unknown),
            "cap_usd": _usd(money.cap),
            "cap_source": money.cap_source,
            "window_seconds": money.window,
            "balance_usd": _usd(money.balance),
        },
        "calls": found.calls,
        "retries": found.retries,
        "seconds": round(found.seconds, 3),
        "manifest": found.manifest,
        "delivered_manifest": found.delivered_manifest or None,
        "locations": list(found.locations),
        "issues": [
            {
                "exit": int(issue.exit),
                "message": issue.message,
                "count": issue.count,
                "items": list(issue.items),
            }
            for issue in found.issues
        ],
        "rehearsed": found.rehearsed,
        "notices": list(found.notices),
        "plan_sha256": found.plan_sha256 or None,
        "passed_over": dict(found.passed_over),
        "next_command": found.next_command,
        "shard": found.shard,
    }


def status(found: Status) -> _Document:
    last = found.last_run
    return {
        **_kind("status"),
        "state": found.state,
        "exists": found.exists,
        "rehearsal": found.rehearsal,
        "restored": restored(found.restoration),
        "last_run": last
        and {
            "id": last.id,
            "recipe": last.recipe,
            "started": last.started,
            "ended": last.ended,
            "exit": last.exit_code,
        },
        "spent_usd": usd(found.spent),
        "in_flight_usd": usd(found.in_flight),
        "unknown_usd": usd(found.unknown),
        "collect_by": found.collect_by,
        "states": {state.value: number for state, number in found.states},
        "unknown": [_attempt(attempt) for attempt in found.doubts],
    }


def adopted(results: int, price: Micros, left: Sequence[str]) -> _Document:
    return {
        **_kind("adopted"),
        "results": results,
        "price_usd": usd(price),
        "not_adopted": list(left),
    }


def keeping(
    recipe: str, kept: Sequence[str], edited: Sequence[str], undone: Sequence[str]
) -> _Document:
    return {
        **_kind("keeping"),
        "recipe": recipe,
        "kept": list(kept),
        "edited": list(edited),
        "undone": list(undone),
    }


def backup(path: str, attempts: int, blobs: str) -> _Document:
    """`blobs`: the folder that is to be copied too."""
    return {**_kind("backup"), "file": path, "attempts": attempts, "blobs": blobs}


def gallery(page: Path, cells: int, images: int) -> _Document:
    return {**_kind("gallery"), "page": str(page), "cells": cells, "images": images}


def pick_into(recipe: str, how: str, changed: bool) -> _Document:
    return {**_kind("pick"), "recipe": recipe, "how": how, "changed": changed}


def pick_delivery(
    written: Sequence[str], same: Sequence[str], edited: Sequence[str], missing: Sequence[str]
) -> _Document:
    return {
        **_kind("pick"),
        "written": list(written),
        "same": list(same),
        "edited": list(edited),
        "missing": list(missing),
    }


def _attempt(found: Attempt) -> _Document:
    """Without its URL, which is a secret."""
    return {
        "attempt": found.id,
        "key": found.job_key,
        "run_id": found.run_id,
        "backend": found.backend,
        "model": found.model,
        "image_sha256": found.image_sha256,
        "parameters": thaw(found.parameters),
        "repeat": found.repeat,
        "price_usd": usd(found.price),
        "request_id": found.request_id,
        "reason": found.reason,
        "created": found.created,
    }


def _problem(found: Problem) -> _Document:
    return {
        "file": found.file,
        "line": found.line or None,
        "column": found.column or None,
        "path": found.path,
        "message": found.message,
    }


def _kind(name: str) -> _Document:
    return {"kind": name, "version": VERSION}


def _usd(amount: Micros | None) -> float | None:
    return None if amount is None else usd(amount)


def _price(found: Price | None) -> _Document | None:
    return None if found is None else {"low": usd(found.low), "high": usd(found.high)}
