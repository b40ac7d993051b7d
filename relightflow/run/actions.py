"""Goes through a plan and says of each job what is to be done about it.

The ledger is asked in chunks, in a thread; what is in place already costs one look at a file's size.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from enum import Enum, auto
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from relightflow.ledger.reader import Reader, open_reader
from relightflow.ledger.rows import JobState
from relightflow.model.attempt import State
from relightflow.model.failure import Billed
from relightflow.model.job import Output
from relightflow.model.plan import Plan
from relightflow.plan.outputs import firsts
from relightflow.store.blobs import size_of

CHUNK = 512


class Action(Enum):
    MAKE = auto()
    """Nothing bought and nothing in flight: call."""
    REUSE = auto()
    """Stored already."""
    COLLECT = auto()
    """Accepted or paid, not fetched."""
    HOLD_UNKNOWN = auto()
    """May have been billed."""
    HOLD_FAILED = auto()
    """Paid, and the result was no image."""
    MEND = auto()
    """Stored, and the blob is gone or has another size."""


def _action_for(job_state: JobState | None, stored_size: int) -> Action:
    """What a job's standing asks for. `stored_size`: bytes of its blob on disk, -1 if missing."""
    if job_state is None or job_state.state is State.READY:
        return Action.MAKE
    if job_state.state is State.FAILED:
        return Action.MAKE if job_state.billed is Billed.NO else Action.HOLD_FAILED
    if job_state.state in (State.STORED, State.DONE):
        intact = job_state.result is not None and job_state.result.size == stored_size
        return Action.REUSE if intact else Action.MEND
    return Action.HOLD_UNKNOWN if job_state.state is State.UNKNOWN else Action.COLLECT


class Item(NamedTuple):
    """What is to be done about one job."""

    output: Output
    """The first that wants the job."""
    action: Action
    job_state: JobState | None


def items_of(
    chunk: list[Output], reader: Reader, blobs: Path, keep: bool = False
) -> Iterator[Item]:
    """What is to be done about each output's job. `keep`: the reader will be asked again. Blocks."""
    keys = [output.job.key for output in chunk]
    job_states: Mapping[str, JobState] = reader.job_states(keys, keep)
    root = str(blobs)
    for key, output in zip(keys, chunk, strict=True):
        job_state = job_states.get(key)
        size = -1
        if job_state and job_state.result:
            size = size_of(root, job_state.result.sha256)
        yield Item(output, _action_for(job_state, size), job_state)


def item_chunks(
    plan: Plan,
    reader: Reader,
    blobs: Path,
    model: tuple[str, str] | None = None,
    keep: bool = False,
) -> Iterator[list[Item]]:
    """Every distinct job of the plan, in plan order. Blocks. `model`: only those of this backend and model;
    None: all. `keep`: see `items_of`."""
    outputs = firsts(plan)
    if model is not None and plan.recipe.more_backends:
        outputs = (o for o in outputs if (o.job.backend, o.job.model) == model)
    while chunk := list(islice(outputs, CHUNK)):
        yield list(items_of(chunk, reader, blobs, keep))


def models_with_work(plan: Plan, ledger: Path, blobs: Path) -> set[tuple[str, str]]:
    """Backend and model of every job that is not in place, and nothing is held for. Blocks."""
    found: set[tuple[str, str]] = set()
    with open_reader(ledger) as reader:
        for chunk in item_chunks(plan, reader, blobs):
            for item in chunk:
                if item.action not in (Action.REUSE, Action.HOLD_FAILED):
                    found.add((item.output.job.backend, item.output.job.model))
            if len(found) == len(plan.recipe.backends):
                break
    return found


async def items(
    plan: Plan, reader: Reader, blobs: Path, model: tuple[str, str] | None = None
) -> AsyncIterator[list[Item]]:
    """The same chunks for the event loop of a run, whose last pass asks the reader again."""
    chunks = item_chunks(plan, reader, blobs, model, keep=True)
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk
