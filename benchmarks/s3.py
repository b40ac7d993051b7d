"""Uploading results of 1 MB to an S3 server on loopback, beside the library's own loop of puts.

The baseline puts bytes that are in memory, sixteen at a time. We look whether each is there, read it
from the blob store, hash it, put it with its metadata, and know what to tell the ledger. The server is
a real Swift, which writes to the disk; rounds of both take turns.
"""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import obstore

from benchmarks.processes import ROOT, Row
from relightflow.deliver.stream import WIDTH
from relightflow.deliver.target import SinkTarget, deliver_many
from relightflow.images.metadata import Metadata
from relightflow.model.image import Image
from relightflow.model.job import Job, Output
from relightflow.model.outcome import Result
from relightflow.model.values import FrozenMap
from relightflow.objects.bucket import opened
from relightflow.plugins.records import SinkContext
from relightflow.sinks.s3 import S3Sink
from relightflow.store.blobs import path_of, read
from tests.servers.swift import Server, swift

SIZE = 1 << 20
BATCH = WIDTH
"""As many as delivery hands over at a time."""
ROUNDS = 3


def measure(whole: bool = False) -> list[Row]:
    """`whole`: 1,000 results, else 120."""
    count = 1000 if whole else 120
    with tempfile.TemporaryDirectory() as folder:
        state_dir = Path(folder)
        (state_dir / "swift").mkdir()
        with swift(state_dir / "swift", ROOT / ".pytest_cache/d/swift") as server:
            os.environ.update(server.environment)
            ratios, ours = _rounds(server, state_dir, count)
    ratio = sorted(ratios)[len(ratios) // 2]
    return [
        (
            f"uploading {count:,} results of 1 MB to Swift, sixteen at a time",
            f"{count / min(ours):.0f} per second, {ratio:.2f} × obstore's own puts",
            "≥ 0.8 ×",
        )
    ]


def _rounds(server: Server, state_dir: Path, count: int) -> tuple[list[float], list[float]]:
    ratios, ours = [], []
    for number in range(ROUNDS if count < 1000 else 1):  # each leaves 2 GB behind until the end
        items = list(_results(state_dir, count, number))
        bare = _bare(server.bucket(), [read(state_dir, result.sha256) for _, result in items])
        ours.append(_through_the_sink(server.bucket(), state_dir, items))
        ratios.append(bare / ours[-1])
        for _, result in items:
            path_of(state_dir, result.sha256).unlink()
    return ratios, ours


def _results(state_dir: Path, count: int, seed: int) -> Iterator[tuple[str, Result]]:
    rng = random.Random(seed)
    for number in range(count):
        data = rng.randbytes(SIZE)
        sha256 = hashlib.sha256(data).hexdigest()
        path = path_of(state_dir, sha256)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        yield f"{number}.png", Result(sha256, SIZE, 1, 1, "image/png")


def _bare(bucket: str, data: list[bytes]) -> float:
    store = opened(f"s3://{bucket}/")._store
    begun = time.perf_counter()
    with ThreadPoolExecutor(S3Sink.width) as pool:
        puts = range(len(data))
        list(pool.map(lambda n: obstore.put(store, f"{n}.png", data[n], use_multipart=False), puts))
    return time.perf_counter() - begun


@dataclass(frozen=True, slots=True)
class _Material:
    state_dir: Path

    def read(self, result: Result) -> bytes:
        return read(self.state_dir, result.sha256)

    def metadata(self, output: Output, everything: bool) -> Metadata:
        del output, everything
        return Metadata()


_IMAGE = Image("a.png", "0" * 64, SIZE, 1, 1, "image/png", 0, "a.png")
_NOTHING = FrozenMap()
_OUTPUT = Output(0, Job("0" * 64, _IMAGE, "b", "m", _NOTHING, 0), _IMAGE, _NOTHING)


def _through_the_sink(bucket: str, state_dir: Path, items: list[tuple[str, Result]]) -> float:
    options = FrozenMap({"uri": f"s3://{bucket}/"})
    sink = S3Sink(SinkContext(state_dir, options, "benchmark"))
    place = SinkTarget(sink, "s3", "files", None, "benchmark", options)
    begun = time.perf_counter()
    for start in range(0, len(items), BATCH):
        batch = [(path, _OUTPUT, result) for path, result in items[start : start + BATCH]]
        for handed in deliver_many(place, batch, {}, _Material(state_dir), overwrite=False):
            if isinstance(handed, Exception):
                raise handed
    return time.perf_counter() - begun
