"""The least that keeps the promises: what a program needs that makes each call once and loses no result.

An upper bound for relightflow, without all else that it does. A paid call is committed before its first byte
leaves and after its result is on the disk, as many together as wait; what is free goes a batch at a time,
and is on the disk when all is done.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from relightflow.images import probe
from relightflow.store.sync import make_durable

TOGETHER = 64
_TABLE = "CREATE TABLE call (number INTEGER PRIMARY KEY, state TEXT, result TEXT, width INTEGER, height INTEGER)"
_STORED = "UPDATE call SET state = 'STORED', result = ?, width = ?, height = ? WHERE number = ?"


def _opened(path: Path, synchronous: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute(_TABLE)
    return db


def _write_whole(path: Path, data: bytes) -> None:
    temporary = f"{path}.part"
    with open(temporary, "wb") as file:  # noqa: PTH123  a Path would take longer than the write
        file.write(data)
    os.rename(temporary, path)  # noqa: PTH104


def free(folder: Path, jobs: int, make: Callable[[int], bytes]) -> None:
    """Results of `make`: checked, stored, in an index that can restore the ledger, delivered, in a
    manifest; each file is whole or not there."""
    blobs, outputs = folder / "blobs", folder / "outputs"
    blobs.mkdir(parents=True)
    outputs.mkdir()
    db = _opened(folder / "ledger.sqlite3", "NORMAL")
    done: list[tuple[int]] = []
    with (folder / "index.jsonl").open("a") as index:
        for start in range(0, jobs, TOGETHER):
            numbers = range(start, min(start + TOGETHER, jobs))
            db.execute("BEGIN")
            db.executemany("UPDATE call SET state = 'DONE' WHERE number = ?", done)
            db.executemany(
                "INSERT INTO call VALUES (?, 'INTENT', '', 0, 0)", [(n,) for n in numbers]
            )
            db.execute("COMMIT")
            made = []
            for number in numbers:
                data = make(number)
                image, digest = probe(data), hashlib.sha256(data).hexdigest()
                _write_whole(blobs / digest, data)
                facts = {"call": number, "sha256": digest, "width": image.width}
                index.write(json.dumps({**facts, "height": image.height}) + "\n")
                made.append((data, (digest, image.width, image.height, number)))
            index.flush()
            db.execute("BEGIN")
            db.executemany(_STORED, [row for _, row in made])
            db.execute("COMMIT")
            for data, (digest, *_) in made:
                _write_whole(outputs / f"{digest}.jpg", data)
            done = [(number,) for number in numbers]
    with (folder / "manifest.jsonl").open("w") as manifest:
        for row in db.execute("SELECT * FROM call ORDER BY number"):
            facts = dict(zip(("call", "status", "sha256", "width", "height"), row, strict=True))
            manifest.write(json.dumps(facts) + "\n")
    db.close()


class _Asked(NamedTuple):
    number: int
    data: bytes | None
    """The result, to be stored first; None: the call is about to leave."""
    done: asyncio.Future[str]


class PaidCalls:
    """What is known of paid calls, and their results, in a thread that takes as many together as wait."""

    def __init__(self, folder: Path) -> None:
        self._blobs = folder
        self._db = _opened(folder / "ledger.sqlite3", "FULL")
        self._waiting: list[_Asked] = []
        self._task: asyncio.Task[None] | None = None

    async def intend(self, number: int) -> None:
        """Returns once it is durable that the call is about to leave."""
        await self._put(number, None)

    async def store(self, number: int, data: bytes) -> str:
        """The result's sha256, once the result and what is said of it are durable."""
        return await self._put(number, data)

    async def _put(self, number: int, data: bytes | None) -> str:
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Asked(number, data, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit())
        return await done

    async def _commit(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            for asked, digest in zip(
                group, await asyncio.to_thread(self._write, group), strict=True
            ):
                asked.done.set_result(digest)

    def _write(self, group: list[_Asked]) -> list[str]:
        digests, stored = [], []
        for asked in group:
            digest = hashlib.sha256(asked.data).hexdigest() if asked.data else ""
            if asked.data:
                _write_whole(self._blobs / digest, asked.data)
                image = probe(asked.data)
                stored.append((digest, image.width, image.height, asked.number))
            digests.append(digest)
        if stored:
            make_durable([self._blobs / digest for digest, *_ in stored], [self._blobs])
        self._db.execute("BEGIN")
        new = [(asked.number,) for asked in group if asked.data is None]
        self._db.executemany("INSERT INTO call VALUES (?, 'INTENT', '', 0, 0)", new)
        self._db.executemany(_STORED, stored)
        self._db.execute("COMMIT")
        return digests
