"""How far a run's own lines in the blob store's index are known to the ledger, noted as it goes on.

A job's lines and its ledger rows are in step when its work has ended; what stands before the first line
of every job that is still worked on is therefore known. After a kill the next run reads only the rest
of the index, and not all that was ever bought.
"""

from __future__ import annotations

import itertools
import math
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from relightflow.ledger.ledger import Ledger
from relightflow.store.blobs import BlobStore
from relightflow.store.index_reader import position_at

_STEP = 1 << 18
"""Bytes of the index between two notes: some hundreds of lines."""


class IndexProgress:
    def __init__(self, blobs: BlobStore, folder: Path, ledger: Ledger, step: int = _STEP) -> None:
        """`folder`: of the blob store. `step`: see `_STEP`."""
        self._blobs = blobs
        self._folder = folder
        self._ledger = ledger
        self._step: float = step
        self._numbers = itertools.count()
        self._open: dict[int, int] = {}
        """Job under work → the index's size when that began. One whose work was cut short stays: its
        lines may say more than the ledger."""
        self._noted = blobs.index_size

    def job(self) -> AbstractContextManager[None]:
        """Around the work on one job. Where it raises, the index is not noted any further."""
        return _Job(self)

    def _begin(self) -> int:
        number = next(self._numbers)
        self._open[number] = self._blobs.index_size
        return number

    def _end(self, number: int) -> None:
        del self._open[number]
        self._note()

    def stop(self) -> None:
        """The disk refused something: what the index says more than the ledger is not known any more."""
        self._step = math.inf

    def _note(self) -> None:
        known = min(self._open.values(), default=None)
        known = self._blobs.index_size if known is None else known
        if known - self._noted < self._step:
            return
        self._noted = known
        with suppress(OSError):  # it only saves the next run some reading
            at = position_at(self._folder, known)
            self._ledger.enqueue_index_position((at.offset, at.tail))


class _Job(AbstractContextManager[None]):
    """See `IndexProgress.job`. (Entered for each job, so it is no generator, which would cost three times as
    much.)"""

    __slots__ = ("_number", "_progress")

    def __init__(self, progress: IndexProgress) -> None:
        self._progress = progress

    def __enter__(self) -> None:
        self._number = self._progress._begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._progress._end(self._number)
