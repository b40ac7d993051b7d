"""How far a run's own lines in the blob store's index are known to the ledger, noted as it goes on.

A job's lines and its ledger rows are in step when its work has ended; what stands before the first line
of every job that is still worked on is therefore known. After a kill the next run reads only the rest
of the index, and not all that was ever bought.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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

    @contextmanager
    def job(self) -> Iterator[None]:
        """Around the work on one job. Where it raises, the index is not noted any further."""
        number = next(self._numbers)
        self._open[number] = self._blobs.index_size
        yield
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
