"""Hands pictures to the sinks while the run goes on, and tells the ledger when all have them.

One thread writes what has gathered, with more where a sink wants them; a sink that fails costs nobody else, and nothing is called
again for it: the next run delivers from the store.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from relightflow import crash
from relightflow.batch import Batcher
from relightflow.deliver.place import Handed, Place, hand_over_all
from relightflow.errors import DamagedError, Exit, RelightflowError, StorageError
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import Reader, reading
from relightflow.ledger.rows import Delivered
from relightflow.model.job import Output
from relightflow.model.outcome import Outcome, Result
from relightflow.model.summary import Trouble
from relightflow.plugins.sink import SinkFailed
from relightflow.store.blobs import MissingBlob, put_aside, read
from relightflow.store.home import Home

WIDTH = 128
"""Pictures on their way to the sinks."""


@dataclass(slots=True)
class Tally:
    """What the sinks got and what went wrong, counted as it goes."""

    written: int = 0
    edited: list[str] = field(default_factory=list)
    """The first few paths of files that were kept because somebody edited them."""
    edited_count: int = 0
    failed: dict[tuple[str, str], Trouble] = field(default_factory=dict)
    """(sink, message) → what to tell."""

    def add(self, handed: Handed) -> None:
        self.written += handed.written
        if handed.edited:
            self.edited_count += 1
            if len(self.edited) < 5:
                self.edited.append(handed.path)

    def begin_again(self) -> None:
        """Every output will be looked at once more: what went wrong so far may not stay so."""
        self.edited.clear()
        self.edited_count = 0
        self.failed.clear()

    def fail(self, place: str, item: str, error: Exception) -> None:
        """Failures of one kind are told once, with the first few items."""
        exit_code = error.exit_code if isinstance(error, RelightflowError) else Exit.JOBS_FAILED
        words = _words(error)
        old = self.failed.get((place, words))
        items = (*old.items, item)[:5] if old else (item,)
        if exit_code is Exit.DAMAGED:
            message = (
                f"{words}; it was paid for and is not bought again by itself. Run again: it is "
                "fetched once more if the provider still has it"
            )
        else:
            message = (
                f"{place}: not delivered ({words}). The pictures are safe in the store; "
                "run again to deliver them, nothing is bought for that"
            )
        count = old.count + 1 if old else 1
        self.failed[place, words] = Trouble(exit_code, message, items, count)


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, SinkFailed | OSError | RelightflowError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error}; this is a bug in the sink"


@dataclass(frozen=True, slots=True)
class Desk:
    """All that delivery works with."""

    places: Sequence[Place]
    ledger: Ledger
    reader: Reader
    """For the delivering thread alone."""
    blobs: Path
    overwrite: bool
    tally: Tally

    def read(self, result: Result) -> bytes:
        """A result's bytes. Raises DamagedError; a damaged blob is put aside, so that the next run
        fetches it again."""
        try:
            return read(self.blobs, result.sha256)
        except MissingBlob:
            raise
        except DamagedError:
            put_aside(self.blobs, result.sha256)
            raise


@contextmanager
def opened_desk(
    places: Sequence[Place], ledger: Ledger, home: Home, overwrite: bool
) -> Iterator[Desk]:
    """Closes the sinks at the end."""
    with reading(home.ledger) as reader, ExitStack() as stack:
        for place in places:
            stack.callback(place.sink.close)
        yield Desk(places, ledger, reader, home.blobs, overwrite, Tally())


async def deliver(outcomes: AsyncGenerator[Outcome], desk: Desk) -> AsyncGenerator[Outcome]:
    """Every outcome as it comes; the sinks that take single pictures get theirs on the way.

    It ends when they have had all of them.
    """
    named = [place for place in desk.places if place.named]
    batcher: Batcher[_Done, None] = Batcher(
        partial(_hand_out, desk, named), "deliver", largest=WIDTH
    )
    waiting: deque[asyncio.Future[None]] = deque()
    try:
        async with aclosing(outcomes):
            async for outcome in outcomes:
                if named and outcome.result and outcome.output:
                    done = _Done(outcome.output, outcome.result, outcome.attempt)
                    waiting.append(batcher.hand_in(done))
                while len(waiting) > WIDTH or (waiting and waiting[0].done()):
                    await waiting.popleft()
                yield outcome
        while waiting:
            await waiting.popleft()
        with suppress(StorageError):  # the pictures are safe; the last pass meets it again
            await desk.ledger.change(_nothing)  # what was mentioned is in with this
    finally:
        batcher.close()


def _nothing(_: object) -> None:
    """A change that changes nothing: when it is durable, all before it is."""


class _Done(NamedTuple):
    output: Output
    result: Result
    attempt: int


def _hand_out(desk: Desk, places: Sequence[Place], items: Sequence[_Done]) -> Sequence[None]:
    """Give `items` to every sink, and tell the ledger which of them all sinks have had. Blocks."""
    crash.reach("before-sink")
    rows: list[Delivered] = []
    complete = dict.fromkeys((item.attempt for item in items), True)
    for place in places:
        paths = [place.path(item.output, item.result) for item in items]
        known = desk.reader.deliveries(place.id, paths)
        pictures = zip(paths, (item.result for item in items), strict=True)
        answers = hand_over_all(place, list(pictures), known, desk.read, desk.overwrite)
        for path, item, handed in zip(paths, items, answers, strict=True):
            if isinstance(handed, Exception):
                desk.tally.fail(place.sink.place, path, handed)
                complete[item.attempt] = False
                continue
            desk.tally.add(handed)
            if handed.row:
                rows.append(handed.row)
    crash.reach("after-sink")
    had = [attempt for attempt, all_had in complete.items() if all_had]
    desk.ledger.mention_delivered(rows, had)
    crash.reach("after-done")
    return [None] * len(items)
