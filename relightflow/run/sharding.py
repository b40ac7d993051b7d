"""A shard's state folder: which shard of which plans it is for, and what share of the limits it has.

`shard.json` is written before anything is bought and never changed for a plan, so that a shard that is
killed and run again has the share that it had. A state that belongs to a shard is refused to every
other run: an unsharded one would buy what the other shards are buying, and another plan's would
divide what is left of a cap a second time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from relightflow.errors import RefusedError, StorageError
from relightflow.model.plan import Plan, Shard
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import Share
from relightflow.model.values import FrozenMap, canonical_json
from relightflow.plan.shards import jobs_digest
from relightflow.run.actions import Action, item_chunks
from relightflow.run.limits.consent import CONFIRMED
from relightflow.run.limits.spend import NOTHING_TO_BUY
from relightflow.run.restoring import StateReader, open_state_reader
from relightflow.store.atomic import write_atomic
from relightflow.store.state_dir import StateDir

NAME = "shard.json"
_FORMAT = 1
_NOT_SHARED = (CONFIRMED, NOTHING_TO_BUY)
"""Sources of limits that are made for one run of the shard, and not for the plan."""
_MOST_BYTES = 1 << 20
_MOST = 1 << 53


class _ShardOfModel(NamedTuple):
    backend: str
    model: str
    jobs: int
    whole: int


@dataclass(frozen=True, slots=True)
class _ShardPlan:
    """One plan of a shard, and how much of it was to be bought when the shard began."""

    recipe: str
    """The recipe's name."""
    jobs: int
    whole: int
    """See `Share`."""
    parts: tuple[_ShardOfModel, ...] = ()
    """The same of each backend's model. Empty: a shard that an earlier version began."""

    def part(self, backend: str, model: str) -> tuple[int, int]:
        """Jobs of that model: of this shard, and of all together."""
        if not self.parts:
            return self.jobs, self.whole
        found = (one for one in self.parts if (one.backend, one.model) == (backend, model))
        return next(((one.jobs, one.whole) for one in found), (0, 0))


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """What `shard.json` says."""

    shard: Shard
    after: int
    """The number of the ledger's last attempt when the shard began."""
    runs: int
    """How many runs the ledger knew then."""
    plans: Mapping[str, _ShardPlan]
    """By `jobs_digest`."""
    rehearsed: bool = False
    """Nothing in the state was bought."""


def read_record(state_dir: StateDir) -> ShardRecord | None:
    """None: the state belongs to no shard. Raises RefusedError for a file that is not relightflow's."""
    path = state_dir.root / NAME
    try:
        if path.is_symlink() or not path.is_file():
            if path.is_symlink() or path.exists():
                raise _strange(path)
            return None
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
        return _record(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _strange(path) from None
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}); nothing was sent") from error


def claim(plan: Plan, state_dir: StateDir) -> None:
    """Make the state that of the plan's shard, or see that it is. Blocks; needs the state opened.

    Raises RefusedError where it belongs to another shard, or to one and `plan` is a whole one.
    """
    record = read_record(state_dir)
    if plan.shard is None:
        if record:
            raise RefusedError(_not_whole(state_dir, record))
        return
    with open_state_reader(state_dir) as seen:
        found = _claimed(plan, seen, record)
    if found == record:
        return
    document = {
        "format": _FORMAT,
        "shard": found.shard.number,
        "of": found.shard.count,
        "after": found.after,
        "runs": found.runs,
        "rehearsed": found.rehearsed,
        "plans": {
            digest: {
                "recipe": one.recipe,
                "jobs": one.jobs,
                "whole": one.whole,
                "models": [part._asdict() for part in one.parts],
            }
            for digest, one in found.plans.items()
        },
    }
    data = (canonical_json(document) + "\n").encode("ascii")
    try:
        write_atomic(state_dir.root, NAME, data, durable=True, private=True)
    except OSError as error:
        raise StorageError(
            f"{state_dir.root / NAME} could not be written ({error.strerror}); nothing was sent"
        ) from error


def with_shares(plan: Plan, options: RunOptions, state: StateDir | StateReader) -> RunOptions:
    """The options with the shard's share of every limit; as they are where the plan is no shard.
    Blocks; reads only. Raises RefusedError as `claim` does."""
    if plan.shard is None:
        return options
    with open_state_reader(state) as seen:
        record = _claimed(plan, seen, read_record(seen.state_dir))
    mine = record.plans[jobs_digest(plan)]
    name, count = f"shard {plan.shard}", plan.shard.count

    def part(jobs: int, whole: int) -> Share:
        return Share(record.after, jobs, whole, count, name)

    share = part(mine.jobs, mine.whole)
    limits = (
        limit if limit.source in _NOT_SHARED else replace(limit, share=share)
        for limit in options.limits
    )
    shares = tuple(part(*mine.part(*spec.pair)) for spec in plan.recipe.backends)
    return replace(options, limits=tuple(limits), shares=shares)


def _claimed(plan: Plan, state: StateReader, record: ShardRecord | None) -> ShardRecord:
    """The record as it is to be for `plan`. Raises RefusedError."""
    assert plan.shard
    digest, name = jobs_digest(plan), plan.recipe.name
    if record is None:
        after, runs = state.ledger.last_attempt(), len(state.ledger.runs())
        record = ShardRecord(plan.shard, after, runs, FrozenMap(), plan.recipe.rehearsed)
    others = {one.recipe for known, one in record.plans.items() if known != digest}
    if record.shard != plan.shard or name in others:
        raise RefusedError(_another(state.state_dir, record, plan))
    if digest in record.plans:
        return record
    mine, every = _to_buy(plan, state)
    pairs = sorted(spec.pair for spec in plan.recipe.backends)
    parts = tuple(_ShardOfModel(*pair, mine[pair], every[pair]) for pair in pairs)
    found = _ShardPlan(name, mine.total(), every.total(), parts)
    return replace(record, plans=FrozenMap({**record.plans, digest: found}))


def _to_buy(
    plan: Plan, state: StateReader
) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Jobs that the shard, and all shards together, have to buy, by backend and model."""
    assert plan.shard
    bought = {Action.MAKE}
    if plan.recipe.limits.on_unknown == "resubmit":
        bought.add(Action.HOLD_UNKNOWN)
    mine: Counter[tuple[str, str]] = Counter()
    every: Counter[tuple[str, str]] = Counter()
    for chunk in item_chunks(plan.divided or plan, state.ledger, state.state_dir.blobs):
        for item in chunk:
            if item.action in bought:
                job = item.output.job
                every[job.backend, job.model] += 1
                mine[job.backend, job.model] += plan.shard.has(job.key)
    return mine, every


def _record(found: Mapping[str, object]) -> ShardRecord:
    """Raises ValueError, KeyError, TypeError, AttributeError."""
    numbers = [found[name] for name in ("format", "shard", "of", "after", "runs")]
    version, number, count, after, runs = map(_whole_number, numbers)
    plans = found["plans"]
    if version != _FORMAT or not 1 <= number <= count or not isinstance(plans, dict):
        raise ValueError(found)
    return ShardRecord(
        Shard(number, count),
        after,
        runs,
        FrozenMap(
            {
                digest: _ShardPlan(
                    str(one["recipe"]), *_counts(one), tuple(map(_part, one.get("models", ())))
                )
                for digest, one in plans.items()
            }
        ),
        found.get("rehearsed") is True,
    )


def _part(found: Mapping[str, object]) -> _ShardOfModel:
    return _ShardOfModel(str(found["backend"]), str(found["model"]), *_counts(found))


def _counts(found: Mapping[str, object]) -> tuple[int, int]:
    return _whole_number(found["jobs"]), _whole_number(found["whole"])


def _whole_number(value: object) -> int:
    if type(value) is not int or not 0 <= value < _MOST:
        raise ValueError(value)
    return value


def _strange(path: Path) -> RefusedError:
    return RefusedError(
        f"refused the state folder: {path} was not written by this version of relightflow. Use "
        "another state folder, or a relightflow that knows it; nothing was sent"
    )


def _not_whole(state_dir: StateDir, record: ShardRecord) -> str:
    return (
        f"the state {state_dir.root} belongs to shard {record.shard}; a run without --shard would "
        "buy what the other shards buy too, so nothing was sent. 'relightflow merge' unites the "
        "shards in another state"
    )


def _another(state_dir: StateDir, record: ShardRecord, plan: Plan) -> str:
    if record.shard != plan.shard:
        why = f"it belongs to shard {record.shard}, and each shard needs a state of its own"
    else:
        why = (
            f"it belongs to shard {record.shard} of another plan of '{plan.recipe.name}': the "
            "images or parameters have changed since"
        )
    return (
        f"the state {state_dir.root} cannot be used for shard {plan.shard} of this plan: {why}; "
        "nothing was sent. Merge what it holds with 'relightflow merge' and begin with a copy of "
        "the merged state, or name another folder with --state"
    )
