"""Hands images to the sinks while the run goes on, and tells the ledger when all have them.

One thread writes what has gathered, with more where a sink wants them; a sink that fails costs nobody else, and nothing is called
again for it: the next run delivers from the store.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from relightflow.core import failpoints
from relightflow.core.digest import remember
from relightflow.core.group_commit import GroupCommit
from relightflow.deliver.input_metadata import InputMetadata
from relightflow.deliver.remote import deliver_all
from relightflow.deliver.target import DeliveryResult, SinkTarget
from relightflow.errors import DamagedError, Exit, RelightflowError, StorageError
from relightflow.executors.workers import Workers
from relightflow.images.metadata import Metadata
from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import Reader, open_reader
from relightflow.ledger.rows import Delivered
from relightflow.model.job import Output
from relightflow.model.outcome import Outcome, Result
from relightflow.model.summary import Issue
from relightflow.plugins.sink import SinkFailed
from relightflow.store.blobs import MissingBlob, put_aside, read
from relightflow.store.state_dir import StateDir

WIDTH = 128
"""Images on their way to the sinks."""
_LINGER = 0.02
"""Seconds for which a result waits for others, so that a sink gets several at a time."""


@dataclass(slots=True)
class _DeliveryCounts:
    """What the sinks got and what went wrong, counted as it goes."""

    written: int = 0
    edited: list[str] = field(default_factory=list)
    """The first few paths of files that were kept because somebody edited them."""
    edited_count: int = 0
    failed: dict[tuple[str, str], Issue] = field(default_factory=dict)
    """(sink, message) → what to tell."""

    def add(self, delivered: DeliveryResult) -> None:
        self.written += delivered.written
        if delivered.edited:
            self.edited_count += 1
            if len(self.edited) < 5:
                self.edited.append(delivered.path)

    def begin_again(self) -> None:
        """Every output will be looked at once more: what went wrong so far may not stay so."""
        self.edited.clear()
        self.edited_count = 0
        self.failed.clear()

    def fail(self, target: str, item: str, error: Exception) -> None:
        """Failures of one kind are told once, with the first few items."""
        exit_code = error.exit_code if isinstance(error, RelightflowError) else Exit.JOBS_FAILED
        words = _text(error)
        old = self.failed.get((target, words))
        items = (*old.items, item)[:5] if old else (item,)
        if exit_code is Exit.DAMAGED:
            message = (
                f"{words}; it was paid for and is not bought again automatically. Run again to "
                "download it again if the provider still has it"
            )
        else:
            message = (
                f"{target}: not delivered ({words}). The results are safe in the store; run again "
                "to deliver them at no cost"
            )
        count = old.count + 1 if old else 1
        self.failed[target, words] = Issue(exit_code, message, items, count)


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, SinkFailed | OSError | RelightflowError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error}; this is a bug in the sink"


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """All that delivery works with."""

    targets: Sequence[SinkTarget]
    ledger: Ledger
    reader: Reader
    """For the delivering thread alone."""
    blobs: Path
    overwrite: bool
    counts: _DeliveryCounts
    inputs: InputMetadata
    cache: Path | None = None
    """Where sinks may keep what can be made again; None: nowhere."""
    recent: Callable[[str], bytes | None] = lambda _: None
    """sha256 → the bytes of a result that was stored just now; None: they are in the store."""
    workers: Workers | None = None
    """Who writes to sinks that can be written to from elsewhere; None: this process."""

    def metadata(self, output: Output, everything: bool) -> Metadata:
        """What an output's input image says of itself. Raises SinkFailed."""
        return self.inputs.of(output.image, everything, output.job.backend)

    def read(self, result: Result) -> bytes:
        """A result's bytes. Raises DamagedError; a damaged blob is put aside, so that the next run
        fetches it again."""
        data = self.recent(result.sha256)
        if data is not None:
            remember(data, result.sha256)
            return data
        try:
            return read(self.blobs, result.sha256)
        except MissingBlob:
            raise
        except DamagedError:
            put_aside(self.blobs, result.sha256)
            raise


@contextmanager
def open_delivery(
    targets: Sequence[SinkTarget],
    ledger: Ledger,
    state_dir: StateDir,
    overwrite: bool,
    inputs: InputMetadata,
    recent: Callable[[str], bytes | None] = lambda _: None,
    workers: Workers | None = None,
) -> Iterator[DeliveryContext]:
    """Closes the sinks at the end."""
    with open_reader(state_dir.ledger) as reader, ExitStack() as stack:
        for target in targets:
            stack.callback(target.sink.close)
        counts = _DeliveryCounts()
        yield DeliveryContext(
            targets, ledger, reader, state_dir.blobs, overwrite, counts, inputs, state_dir.cache,
            recent,
            workers,
        )  # fmt: skip


async def deliver(
    outcomes: AsyncGenerator[Outcome], delivery: DeliveryContext
) -> AsyncGenerator[Outcome]:
    """Every outcome as it comes; the sinks that take single images get theirs on the way.

    It ends when they have had all of them.
    """
    named = [target for target in delivery.targets if target.layout == "files"]
    batcher: GroupCommit[_Done, None] = GroupCommit(
        partial(_deliver_batch, delivery, named), "deliver", largest=WIDTH, linger=_LINGER
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
        batcher.flush()
        while waiting:
            await waiting.popleft()
        with suppress(StorageError):  # the images are safe; the last pass meets it again
            await delivery.ledger.change(_nothing)  # what was mentioned is in with this
    finally:
        batcher.close()


def _nothing(_: object) -> None:
    """A change that changes nothing: when it is durable, all before it is."""


class _Done(NamedTuple):
    output: Output
    result: Result
    attempt: int


def _deliver_batch(
    delivery: DeliveryContext, targets: Sequence[SinkTarget], items: Sequence[_Done]
) -> Sequence[None]:
    """Give `items` to every sink, and tell the ledger which of them all sinks have had. Blocks."""
    failpoints.reach("before-sink")
    rows: list[Delivered] = []
    complete = dict.fromkeys((item.attempt for item in items), True)
    for target in targets:
        paths = [target.path(item.output, item.result) for item in items]
        known = delivery.reader.deliveries(target.id, paths)
        images = [(path, i.output, i.result) for path, i in zip(paths, items, strict=True)]
        answers = deliver_all(target, images, known, delivery, delivery.overwrite, delivery.workers)
        for path, item, delivered in zip(paths, items, answers, strict=True):
            if isinstance(delivered, Exception):
                delivery.counts.fail(target.sink.location, path, delivered)
                complete[item.attempt] = False
                continue
            delivery.counts.add(delivered)
            if delivered.row:
                rows.append(delivered.row)
    failpoints.reach("after-sink")
    had = [attempt for attempt, all_had in complete.items() if all_had]
    delivery.ledger.enqueue_delivered(rows, had)
    failpoints.reach("after-done")
    return [None] * len(items)
