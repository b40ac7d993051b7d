"""Goes through a plan and says of each job what is to be done about it.

The ledger is asked in chunks, in a thread; what is in place already costs one look at a file's size.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from pathlib import Path

from relightflow.ledger.reader import Reader
from relightflow.ledger.rows import Standing
from relightflow.model.attempt import State
from relightflow.model.failure import Billed
from relightflow.model.job import Output
from relightflow.model.plan import Plan
from relightflow.plan.outputs import firsts
from relightflow.store.blobs import size_of

CHUNK = 512


class Todo(Enum):
    MAKE = auto()
    """Nothing bought and nothing in the air: call."""
    REUSE = auto()
    """Stored already."""
    COLLECT = auto()
    """Accepted or paid, not fetched."""
    HOLD_UNKNOWN = auto()
    """May have been billed."""
    HOLD_FAILED = auto()
    """Paid, and the result was no picture."""
    MEND = auto()
    """Stored, and the blob is gone or has another size."""


def todo(standing: Standing | None, stored_size: int) -> Todo:
    """What a job's standing asks for. `stored_size`: bytes of its blob on disk, -1 if missing."""
    if standing is None or standing.state is State.READY:
        return Todo.MAKE
    if standing.state is State.FAILED:
        return Todo.MAKE if standing.billed is Billed.NO else Todo.HOLD_FAILED
    if standing.state in (State.STORED, State.DONE):
        intact = standing.result is not None and standing.result.size == stored_size
        return Todo.REUSE if intact else Todo.MEND
    return Todo.HOLD_UNKNOWN if standing.state is State.UNKNOWN else Todo.COLLECT


@dataclass(frozen=True, slots=True)
class Item:
    output: Output
    """The first that wants the job."""
    todo: Todo
    standing: Standing | None


def stand(chunk: list[Output], reader: Reader, blobs: Path) -> Iterator[Item]:
    """What is to be done about each output's job. Blocks."""
    standings: Mapping[str, Standing] = reader.standings([output.job.key for output in chunk])
    for output in chunk:
        standing = standings.get(output.job.key)
        size = -1
        if standing and standing.result:
            size = size_of(blobs, standing.result.sha256)
        yield Item(output, todo(standing, size), standing)


def survey_chunks(plan: Plan, reader: Reader, blobs: Path) -> Iterator[list[Item]]:
    """Every distinct job of the plan, in plan order. Blocks."""
    outputs = firsts(plan)
    while chunk := list(islice(outputs, CHUNK)):
        yield list(stand(chunk, reader, blobs))


async def walk(plan: Plan, reader: Reader, blobs: Path) -> AsyncIterator[Item]:
    """The same for the event loop."""
    chunks = survey_chunks(plan, reader, blobs)
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        for item in chunk:
            yield item
