"""Unites the states of a plan's shards in one state, which then knows all that they bought.

What a shard made is written into the merged state's store as the shard itself would have written it:
the result's bytes and a line of the index. The ledger then takes over what the index knows, as it does
whenever a state is opened (`run.restoring`). So a merge that is killed at any moment leaves a state that
is sound, merging again goes on where it stopped, and merging twice changes nothing. The shards' own
states are only read.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from relightflow.errors import DamagedError, RefusedError, StorageError
from relightflow.images import BadImage, probe
from relightflow.ledger.reader import Reader, open_reader
from relightflow.ledger.restoring import ANOTHER, IndexedAttempts, is_alive
from relightflow.maintenance.shard_states import ShardState, read_shards
from relightflow.model.attempt import State
from relightflow.model.failure import Billed
from relightflow.model.merged import DoublePurchase, Merged
from relightflow.model.plan import Plan, Shard
from relightflow.run.opening import OpenState, open_state
from relightflow.run.restoring import restore
from relightflow.run.sharding import read_record
from relightflow.store import blobs
from relightflow.store.index_entry import attempt_facts
from relightflow.store.state_dir import StateDir

_CLOSED = (State.READY, State.FAILED)
_KNOWS_MORE = (
    State.INTENT,
    State.UNKNOWN,
    State.ACCEPTED,
    State.PAID_UNFETCHED,
    State.READY,
    State.FAILED,
    State.STORED,
)
"""Of two records of one attempt, the one whose state stands further back here is the later one."""


async def merge(plans: Sequence[Plan], folders: Sequence[Path], state_dir: StateDir) -> Merged:
    """Unite the shards in `folders` in `state_dir`. Sends nothing, buys nothing.

    Raises what `read_shards` raises, before anything is written; EarlyStop where a run holds the state,
    RefusedError where the state is itself a shard's, StorageError.
    """
    shards = await asyncio.to_thread(read_shards, plans, folders)
    with open_state(state_dir, f"relightflow merge, process {os.getpid()},") as state:
        if read_record(state_dir):
            raise RefusedError(
                f"the state {state_dir.root} is itself that of a shard; merge into another one "
                "with --state"
            )
        with open_reader(state_dir.ledger) as reader:
            own = [one for _, one in reader.restorable()]
            found = _united(own, shards)
            double = _double(found)
            news = _news(reader, _settled(found, own), _whole_in(state_dir, shards))
        for one in news:
            await _write(state, one, shards)
        added = restore(state_dir.blobs, state.ledger)
    there = {one.shard for one in shards}
    count = shards[0].shard.count if shards else 0
    every = (Shard(number, count) for number in range(1, count + 1))
    return Merged(
        added=added,
        shards=tuple((one.shard, str(one.state_dir.root), one.exit) for one in shards),
        missing=tuple(shard for shard in every if shard not in there),
        double=double,
    )


def _united(
    own: Iterable[IndexedAttempts], shards: Sequence[ShardState]
) -> dict[str, IndexedAttempts]:
    """Every attempt once, by its name; of several records the one that knows most."""
    united: dict[str, IndexedAttempts] = {}
    for one in (*own, *(one for shard in shards for one in shard.attempts)):
        name = _name(one)
        known = united.get(name)
        if known is None or _rank(one) > _rank(known):
            united[name] = one
    return united


def _name(one: IndexedAttempts) -> str:
    """What tells an attempt from all others; those of 0.1.0 and jobs that failed before any call have no
    name of their own."""
    attempt = one.attempt
    if attempt.uuid:
        return attempt.uuid
    told = f"{attempt.job_key} {attempt.run_id} {one.at!r}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _rank(one: IndexedAttempts) -> int:
    return _KNOWS_MORE.index(one.attempt.state)


def _double(found: Mapping[str, IndexedAttempts]) -> tuple[DoublePurchase, ...]:
    """Jobs with several calls that were or may have been billed, and that nobody decided to make again."""
    calls: dict[str, dict[str, int]] = {}
    for name, one in found.items():
        attempt = one.attempt
        kept = is_alive(attempt.state, attempt.billed) or attempt.reason == ANOTHER
        bought = attempt.price and attempt.billed is not Billed.NO
        if kept and bought and "origin" not in attempt.details:
            cost = attempt.price if attempt.cost is None else attempt.cost
            calls.setdefault(attempt.job_key, {})[attempt.request_id or name] = cost
    return tuple(
        DoublePurchase(key, len(costs), sum(costs.values()))
        for key, costs in sorted(calls.items())
        if len(costs) > 1
    )


def _settled(
    found: Mapping[str, IndexedAttempts], own: Iterable[IndexedAttempts]
) -> list[IndexedAttempts]:
    """What the merged ledger is to hold. Where a job was bought twice, one with an image is kept, and an
    open call of the merged state makes room for it; its money goes on counting."""
    here = {_name(one) for one in own}
    by_job: dict[str, list[tuple[str, IndexedAttempts]]] = {}
    for name, one in found.items():
        by_job.setdefault(one.attempt.job_key, []).append((name, one))
    settled: list[IndexedAttempts] = []
    for attempts in by_job.values():
        stored = [name for name, one in attempts if one.attempt.state is State.STORED]
        newly = bool(stored) and not here & {*stored}
        attempts.sort(key=lambda pair: (_is_open(pair[1]), pair[1].attempt.state != State.STORED))
        for name, one in attempts:
            if newly and name in here and _is_open(one):
                closed = replace(one.attempt, state=State.READY, reason=ANOTHER, blob="")
                one = replace(one, attempt=closed)
            if name not in here and not one.attempt.uuid:
                one = replace(one, attempt=replace(one.attempt, uuid=name))
            settled.append(one)
    return settled


def _is_open(one: IndexedAttempts) -> bool:
    return is_alive(one.attempt.state, one.attempt.billed)


def _news(
    reader: Reader, settled: list[IndexedAttempts], is_whole: Callable[[str], bool]
) -> list[IndexedAttempts]:
    """Those of which the merged ledger knows nothing, or less; results first, so that a job never stands
    without the call that was kept."""
    keys = {difference.job_key for difference in reader.missing(settled, is_whole)}
    news = [one for one in settled if one.attempt.job_key in keys]
    return sorted(news, key=lambda one: one.attempt.state is not State.STORED)


def _whole_in(state_dir: StateDir, shards: Sequence[ShardState]) -> Callable[[str], bool]:
    """Whether some store has the blob whole."""
    return lambda sha256: _read([state_dir, *(one.state_dir for one in shards)], sha256) is not None


def _read(places: Iterable[StateDir], sha256: str) -> bytes | None:
    for place in places:
        try:
            return blobs.read(place.blobs, sha256)
        except (DamagedError, StorageError):
            continue
    return None


async def _write(state: OpenState, one: IndexedAttempts, shards: Sequence[ShardState]) -> None:
    """Bytes and a line of the index. A result whose bytes no shard has is paid and not fetched: the next
    run asks the provider for it, and buys nothing."""
    attempt = one.attempt
    facts: dict[str, Any] = {
        "key": attempt.job_key,
        "backend": attempt.backend,
        "model": attempt.model,
        "image_sha256": attempt.image_sha256,
        "parameters": attempt.parameters,
        "repeat": attempt.repeat,
        "price": attempt.price,
        "floor": attempt.floor,
        **attempt_facts(attempt.uuid, attempt.run_id, one.recipe, one.plan),
        "at": one.at,
        "billed": attempt.billed,
        "cost": attempt.cost,
        "request_id": attempt.request_id,
        "details": attempt.details,
        **({"kind": attempt.kind} if attempt.kind else {}),
        **({"reason": attempt.reason} if attempt.reason else {}),
    }
    if attempt.state is not State.STORED:
        state.blobs.note({**facts, "event": attempt.state})
        return
    size = {"size": attempt.size, "width": attempt.width, "height": attempt.height}
    facts |= {**size, "media_type": attempt.media_type}
    places = (state.state_dir, *(shard.state_dir for shard in shards))
    data = await asyncio.to_thread(_read, places, attempt.blob)
    if data is not None and _is_image(data, attempt.media_type, size):
        await state.blobs.put(data, facts)
    elif attempt.price:
        state.blobs.note({**facts, "event": State.PAID_UNFETCHED})


def _is_image(data: bytes, media_type: str, size: Mapping[str, int]) -> bool:
    """Whether the bytes are what the ledger says of them: it may be a stranger's."""
    try:
        found = probe(data)
    except BadImage:
        return False
    said = {"size": len(data), "width": found.width, "height": found.height}
    return found.media_type == media_type and said == size
