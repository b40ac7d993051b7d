"""How far the index is known to the ledger, noted while a run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from relightflow.ledger.ledger import Ledger
from relightflow.ledger.reader import open_reader
from relightflow.run.jobs.index_progress import IndexProgress
from relightflow.store.blobs import BlobStore
from relightflow.store.index_reader import IndexPosition, read_since


class Store:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = BlobStore(folder)
        self.ledger = Ledger(folder / "ledger.sqlite3")
        self.progress = IndexProgress(self.blobs, folder, self.ledger, step=1)

    def note(self, number: int) -> None:
        self.blobs.note({"event": "INTENT", "number": number})

    @property
    def noted(self) -> int:
        """Lines that the next run need not read."""
        self.ledger.forget_now("nowhere", ())  # what was enqueued is committed with it
        with open_reader(self.ledger.path) as reader:
            position = reader.index_position()
        size = position[0] if position else 0
        return (self.folder / "index.jsonl").read_bytes()[:size].count(b"\n")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    with closing(made.ledger), closing(made.blobs):
        yield made


def test_lines_of_jobs_that_have_ended_are_noted(store: Store) -> None:
    for number in range(3):
        with store.progress.job():
            store.note(number)
        assert store.noted == number + 1


def test_nothing_is_noted_beyond_the_first_line_of_a_job_that_is_worked_on(store: Store) -> None:
    with store.progress.job():
        store.note(0)
    slow = store.progress.job()
    slow.__enter__()
    for number in (1, 2):
        with store.progress.job():
            store.note(number)
    assert store.noted == 1
    slow.__exit__(None, None, None)
    assert store.noted == 3


def test_a_job_that_was_cut_short_holds_the_note_back(store: Store) -> None:
    cut = store.progress.job()
    cut.__enter__()
    store.note(0)
    assert not cut.__exit__(RuntimeError, RuntimeError(), None)
    with store.progress.job():
        store.note(1)
    assert store.noted == 0


def test_nothing_is_noted_once_the_disk_has_refused(store: Store) -> None:
    store.progress.stop()
    with store.progress.job():
        store.note(0)
    assert store.noted == 0


def test_a_position_that_was_noted_is_one_to_read_on_from(store: Store) -> None:
    with store.progress.job():
        store.note(0)
    assert store.noted == 1
    with open_reader(store.ledger.path) as reader:
        position = reader.index_position()
    assert position
    assert not read_since(store.folder, IndexPosition(*position)).whole
