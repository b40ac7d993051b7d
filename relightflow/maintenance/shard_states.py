"""Reads the state folders of shards, which may come from a stranger: what does not belong to the plan is
refused before anything of it is used.

A state folder is an artifact of another machine. Its ledger is opened as every ledger is (only our
tables, no triggers of others, sound values). Beyond that an attempt must be one that this shard may
have made: its key must be that of its own facts, and it must be a job of the plan and of the shard, or
one that the state had before the shard began. Only attempts and results are taken over: a backend's
notes, what sinks hold and where recipes lay on that machine stay behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from relightflow.errors import Exit, RefusedError, UsageError, gravest
from relightflow.ledger.reader import Reader
from relightflow.ledger.restoring import IndexedAttempts
from relightflow.model.attempt import State
from relightflow.model.plan import Plan, Shard
from relightflow.plan.keys import job_key
from relightflow.plan.outputs import firsts
from relightflow.plan.shards import jobs_digest
from relightflow.run.restoring import open_state_reader
from relightflow.run.sharding import ShardRecord, read_record
from relightflow.store.blobs import is_name
from relightflow.store.state_dir import StateDir
from relightflow.store.trust import check_state


@dataclass(frozen=True, slots=True)
class ShardState:
    """A shard's state, read and checked."""

    state_dir: StateDir
    shard: Shard
    attempts: tuple[IndexedAttempts, ...]
    """Oldest first."""
    exit: Exit
    """How its last run ended; 75 where the process did not live to say it."""


def read_shards(plans: Sequence[Plan], folders: Sequence[Path]) -> list[ShardState]:
    """The states in `folders`, all of the same `plans`. Blocks; reads only.

    Raises UsageError for a folder that is not there, RefusedError for one that is no shard's, or one of
    another plan, or that holds what its shard cannot have made, StorageError for a damaged ledger.
    """
    keys = {jobs_digest(plan): {output.job.key for output in firsts(plan)} for plan in plans}
    states = [_read(folder, plans, keys) for folder in folders]
    for state in states[1:]:
        if state.shard.count != states[0].shard.count:
            raise RefusedError(
                f"{states[0].state_dir.root} is shard {states[0].shard} and {state.state_dir.root} "
                f"is shard {state.shard}: they are parts of different divisions; nothing was merged"
            )
    return states


def _read(folder: Path, plans: Sequence[Plan], keys: Mapping[str, set[str]]) -> ShardState:
    state_dir = StateDir(folder.absolute())
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; name the state folder of a shard")
    check_state(state_dir.root, named=True)
    record = read_record(state_dir)
    if record is None:
        raise RefusedError(
            f"{folder} is not the state of a shard ('run --shard' makes one); nothing was merged"
        )
    if any(plan.recipe.rehearsed != record.rehearsed for plan in plans):
        raise RefusedError(
            f"{folder} was {'rehearsed' if record.rehearsed else 'bought'}, and this merge is "
            f"{'a rehearsal' if not record.rehearsed else 'of what was bought'}; nothing was merged"
        )
    unknown = [one.recipe for digest, one in record.plans.items() if digest not in keys]
    if unknown:
        raise RefusedError(_other_plan(folder, unknown, plans))
    allowed = frozenset().union(*(keys[digest] for digest in record.plans))
    with open_state_reader(state_dir) as seen:
        attempts = _checked(folder, record, seen.ledger, allowed, plans)
        code = _exit(seen.ledger, record)
    return ShardState(state_dir, record.shard, attempts, code)


def _other_plan(folder: Path, unknown: list[str], plans: Sequence[Plan]) -> str:
    names = {plan.recipe.name for plan in plans}
    ours = [name for name in unknown if name in names]
    if ours:
        return (
            f"{folder} is a shard of another plan of '{ours[0]}': the images, the parameters or "
            "the selection were different; nothing was merged. Merge it with the recipe, images "
            "and options that it was run with"
        )
    return (
        f"{folder} also holds shards of {', '.join(map(repr, unknown))}; nothing was merged. Name "
        "all recipes that were run with it"
    )


def _exit(reader: Reader, record: ShardRecord) -> Exit:
    """Of several recipes the gravest, of several runs of a recipe the last."""
    last = {recipe: code for _, recipe, code in reader.runs()[record.runs :]}
    return gravest(_code(last.get(one.recipe)) for one in record.plans.values())


def _code(code: int | None) -> Exit:
    try:
        return Exit.EARLY if code is None else Exit(code)
    except ValueError:
        return Exit.JOBS_FAILED


def _checked(
    folder: Path,
    record: ShardRecord,
    reader: Reader,
    allowed: frozenset[str],
    plans: Sequence[Plan],
) -> tuple[IndexedAttempts, ...]:
    """Every attempt of the ledger. Raises RefusedError for one that the shard cannot have made."""
    paid = frozenset(spec.pair for plan in plans for spec in plan.recipe.backends if not spec.free)
    every = reader.restorable()
    before = {one.attempt.job_key for number, one in every if number <= record.after}
    found = []
    for number, one in every:
        attempt = one.attempt
        wrong = _nonsense(one, paid)
        if not wrong and number > record.after and attempt.job_key not in before:
            wrong = _foreign(one, record, allowed)
        if wrong:
            raise RefusedError(
                f"refused the ledger in {folder}: it holds job {attempt.job_key[:16]}, and {wrong}. "
                "It was changed, or it is not the state of this shard; nothing was merged"
            )
        # free calls that were cut off can be made again, and nobody doubts them
        if not (attempt.price == 0 and attempt.state is State.INTENT):
            found.append(one)
    return tuple(found)


def _nonsense(one: IndexedAttempts, paid: frozenset[tuple[str, str]]) -> str:
    """Why no state can hold such an attempt; empty where nothing speaks against it."""
    told = one.attempt
    key = job_key(told.backend, told.model, told.image_sha256, told.parameters, told.repeat)
    if key != told.job_key:
        return "its key is not that of its image and parameters"
    if one.plan and not is_name(one.plan):
        return "the plan file that it names cannot be one"
    if told.price == 0 and told.state is State.STORED and (told.backend, told.model) in paid:
        return "it says that a paid model was free"
    return ""


def _foreign(one: IndexedAttempts, record: ShardRecord, allowed: frozenset[str]) -> str:
    """Why the shard cannot have made it; empty where it can."""
    key = one.attempt.job_key
    if key not in allowed:
        return "it is not in the plan"
    if not record.shard.has(key):
        return f"it is not in shard {record.shard}"
    # where the recipe is not known, the call counts against every cap
    if one.recipe and one.recipe not in {known.recipe for known in record.plans.values()}:
        return "it was made for another recipe"
    return ""
