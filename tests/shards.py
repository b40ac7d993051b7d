"""Runs the shards of a stage's recipe, each with a state of its own, and unites them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from relightflow import api
from relightflow.errors import Exit
from relightflow.ledger.reader import open_reader
from relightflow.maintenance.merge import merge
from relightflow.model.attempt import Attempt
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.merged import Merged
from relightflow.model.plan import Plan, Selection, Shard
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.model.summary import Summary
from relightflow.store.blobs import INDEX
from relightflow.store.state_dir import StateDir
from tests.conftest import Stage


def state_of(stage: Stage, number: int) -> StateDir:
    return StateDir(stage.folder / f"shard-{number}")


def plan_of(stage: Stage, state_dir: StateDir, shard: Shard | None) -> Plan:
    recipe = api.load(stage.path, stage.registry)
    return api.plan(recipe, stage.registry, Selection(shard=shard), stage.operator, state_dir)


def run_shard(
    stage: Stage, number: int, count: int, state_dir: StateDir | None = None, **options: Any
) -> Summary:
    cap = options.pop("cap", 100_000_000)
    options.setdefault("limits", (SpendLimit(cap, "--max-cost"),))
    state_dir = state_dir or state_of(stage, number)
    plan = plan_of(stage, state_dir, Shard(number, count))
    return asyncio.run(
        api.run(
            plan, stage.registry, state_dir, RunOptions(**options), stage.operator, RunCallbacks()
        )
    )


def unite(stage: Stage, folders: Sequence[Path] | None = None) -> Merged:
    """In the stage's own state."""
    plan = plan_of(stage, stage.state_dir, None)
    folders = sorted(stage.folder.glob("shard-*")) if folders is None else folders
    return asyncio.run(merge([plan], folders, stage.state_dir))


def deliver(stage: Stage) -> Summary:
    return stage.run(collect_only=True, missing=Exit.EARLY)


def attempts_in(state_dir: StateDir) -> list[Attempt]:
    with open_reader(state_dir.ledger) as reader:
        return reader.attempts()


@contextmanager
def change(state_dir: StateDir) -> Iterator[sqlite3.Connection]:
    """The ledger in the hands of somebody else; the index is gone, so that it contradicts nothing."""
    (state_dir.blobs / INDEX).unlink(missing_ok=True)
    with closing(sqlite3.connect(state_dir.ledger)) as db, db:
        db.execute("DELETE FROM index_position")
        yield db
