"""Finds what no longer serves anybody, here and in the shared store, and takes it away if told to.

Kept, whatever else is said: every result of a job that is open or in doubt, every result that the given
recipes or manifests name, and, where none is given, every finished result. A finished result that is
taken away was paid for, so its job becomes READY again and its price is told.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from relightflow.errors import UsageError
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import open_reader
from relightflow.model.attempt import Attempt, State
from relightflow.model.failure import Failure, FailureKind
from relightflow.model.maintenance import Garbage
from relightflow.model.plan import Plan
from relightflow.plan.outputs import firsts
from relightflow.run.jobs.resend import job_of
from relightflow.store.blobs import ASIDE, INDEX, BlobStore, index, path_of
from relightflow.store.index_entry import attempt_facts, job_facts
from relightflow.store.shared import SharedStore
from relightflow.store.state_dir import StateDir

_YOUNG = timedelta(days=1)
"""Bytes in the shared store that no entry names may belong to a machine that is about to name them."""


@dataclass(frozen=True, slots=True)
class Retained:
    """What must stay."""

    keys: frozenset[str]
    sha256s: frozenset[str]
    everything: bool
    """Nobody said what is wanted, so every finished result is."""

    def holds(self, key: str, sha256: str) -> bool:
        return self.everything or key in self.keys or sha256 in self.sha256s


def retained(plans: Iterable[Plan], manifests: Iterable[Path]) -> Retained:
    """What `plans` and `manifests` need. Raises UsageError for a file that is no manifest."""
    keys: set[str] = set()
    sha256s: set[str] = set()
    everything = True
    for plan in plans:
        everything = False
        if plan.rejected:
            raise UsageError(
                f"{plan.recipe.path}: {plan.rejected[0].name} cannot be read now, so its results "
                "are unknown; fix it, or omit this recipe"
            )
        keys.update(output.job.key for output in firsts(plan))
    for path in manifests:
        everything = False
        records = _records(path)
        keys.update(str(record["key"]) for record in records if "key" in record)
        sha256s.update(str(record["sha256"]) for record in records if "sha256" in record)
    return Retained(frozenset(keys), frozenset(sha256s), everything)


def _records(path: Path) -> list[dict[str, Any]]:
    try:
        records = [json.loads(line) for line in path.read_bytes().splitlines()]
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not a manifest: a line of it is not JSON") from None
    mappings = all(isinstance(record, dict) for record in records)
    if not (records and mappings and records[0].get("record") == "recipe"):
        raise UsageError(f"{path} is not a manifest of relightflow")
    return records


def find_garbage(
    state_dir: StateDir, wanted: Retained, keep_runs: int, paid: bool = False
) -> Garbage:
    """What could go from the state folder. Blocks, reads only; needs the lock held.

    `paid`: results that cost money too. Without it they stay, and so do bytes that neither the ledger
    nor the index can name in a state that ever paid for something.
    """
    with open_reader(state_dir.ledger) as reader:
        finished = reader.stored_attempts()
        ever_paid = any(attempt.price for attempt in reader.attempts())
        alive = {a.job_key for a in (*reader.open_attempts(), *reader.held_attempts())}
        relied_on = {sha256 for sha256, _ in reader.blobs()}
    unwanted = [a for a in finished if not wanted.holds(a.job_key, a.blob)]
    kept = tuple(a for a in unwanted if a.price and not paid)
    gone = tuple(a for a in unwanted if paid or not a.price)
    staying = (
        {a.blob for a in kept}
        | relied_on - {a.blob for a in gone}
        | {a.blob for a in finished if wanted.holds(a.job_key, a.blob)}
    )
    staying |= {
        e["sha256"] for e in index(state_dir.blobs) if e.get("key") in alive and "sha256" in e
    }
    stray = _blobs(state_dir) - staying - wanted.sha256s
    if ever_paid and not paid:
        stray &= {a.blob for a in gone}
    blobs = tuple(sorted(stray))
    runs = (
        sorted(path for path in state_dir.runs.iterdir() if path.is_dir())
        if state_dir.runs.exists()
        else []
    )
    old = runs[: max(0, len(runs) - keep_runs)]
    sizes = sum(path_of(state_dir.blobs, sha256).stat().st_size for sha256 in blobs)
    return Garbage(gone, blobs, sizes, tuple(path.name for path in old), kept_paid=kept)


def delete(state_dir: StateDir, ledger: Ledger, blobs: BlobStore, found: Garbage) -> None:
    """Blocks. The ledger first, so that it never relies on what is gone; the call log is told too."""
    for attempt in found.finished:
        ledger.close_attempt_now(attempt.id, State.READY, _removed(attempt))
        facts = {**job_facts(job_of(attempt), attempt.price), **attempt_facts(attempt.uuid)}
        blobs.note({**facts, "event": State.READY, "billed": attempt.billed})
    for sha256 in found.blobs:
        path_of(state_dir.blobs, sha256).unlink(missing_ok=True)
    for name in found.runs:
        shutil.rmtree(state_dir.runs / name, ignore_errors=True)


def find_shared_garbage(
    store: SharedStore, wanted: Retained, now: datetime | None = None, paid: bool = False
) -> tuple[str, ...]:
    """Paths of what could go from the shared store; nothing unless `paid`, since all that is there cost
    money. Blocks, reads only; raises ObjectFault."""
    if not paid:
        return ()
    now = now or datetime.now(UTC)
    named, going = set(), []
    for path, entry in store.entries():
        if entry is None:
            continue
        if wanted.holds(entry["key"], entry["sha256"]):
            named.add(entry["sha256"])
        else:
            going.append(path)
    for sha256, facts in store.blobs():
        if sha256 not in named and sha256 not in wanted.sha256s and now - facts.modified > _YOUNG:
            going.append(facts.path)
    return tuple(going)


def _blobs(state_dir: StateDir) -> set[str]:
    """Every blob by its name; what is kept aside and the index are none."""
    return {
        path.name
        for path in state_dir.blobs.glob("??/*")
        if path.parent.name not in (ASIDE, INDEX) and len(path.name) == 64
    }


def _removed(attempt: Attempt) -> Failure:
    return Failure(
        FailureKind.DAMAGED,
        "deleted by gc, as decided by the operator",
        attempt.billed,
        cost=attempt.cost,
    )
