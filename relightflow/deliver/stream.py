"""Hands pictures to the sinks while the run goes on, and tells the ledger when all have them.

One thread writes what has gathered; a sink that fails costs nobody else, and nothing is called
again for it: the next run delivers from the store.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from relightflow import crash
from relightflow.batch import Batcher
from relightflow.bounded import bounded
from relightflow.deliver.place import Handed, Place, hand_over
from relightflow.errors import DamagedError, Exit, RelightflowError
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import Reader, reading
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

    def fail(self, place: str, item: str, error: Exception) -> None:
        """Failures of one kind are told once, with the first few items."""
        exit_code = error.exit_code if isinstance(error, RelightflowError) else Exit.JOBS_FAILED
        words = f"{error.strerror}" if isinstance(error, OSError) and error.strerror else str(error)
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


_Item = tuple[Output, Result]
FAULTS = (SinkFailed, OSError, RelightflowError)
"""What a sink or the store may raise; anything else is a bug."""


async def deliver(outcomes: AsyncIterator[Outcome], desk: Desk) -> AsyncGenerator[Outcome]:
    """Every outcome, once the sinks that take single pictures have had it."""
    named = [place for place in desk.places if place.named]

    def hand_out(items: Sequence[_Item]) -> Sequence[list[Handed | None]]:
        answers: list[list[Handed | None]] = [[] for _ in items]
        for place in named:
            paths = [place.path(output, result) for output, result in items]
            known = desk.reader.deliveries(place.id, paths)
            for answer, path, (output, result) in zip(answers, paths, items, strict=True):
                try:
                    answer.append(
                        hand_over(place, output, result, known.get(path), desk.read, desk.overwrite)
                    )
                except FAULTS as error:
                    desk.tally.fail(place.sink.place, path, error)
                    answer.append(None)
        return answers

    batcher: Batcher[_Item, list[Handed | None]] = Batcher(hand_out, "deliver", largest=64)

    async def one(outcome: Outcome) -> Outcome:
        if outcome.result is None or outcome.output is None or not named:
            return outcome
        crash.reach("before-sink")
        handed = await batcher.ask((outcome.output, outcome.result))
        crash.reach("after-sink")
        for item in handed:
            if item:
                desk.tally.add(item)
        rows = [item.row for item in handed if item and item.row]
        complete = all(handed)
        await desk.ledger.delivered(rows, outcome.attempt if complete else None)
        crash.reach("after-done")
        return outcome

    try:
        async with aclosing(bounded(outcomes, WIDTH, one)) as delivered:
            async for outcome in delivered:
                yield outcome
    finally:
        batcher.close()
