"""What a paid run costs beside the network: rate, throughput and memory, against the emulator.

The emulator is a process of its own on loopback. The baseline of the throughput is a bare aiohttp
loop in a process of its own that posts the same calls, reads, hashes and writes the files. A second
loop also does what a purchase that is made once needs at the least: it commits each call to a database
before the first byte leaves and after the result is on the disk, as many together as wait.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sqlite3
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.processes import Row, case
from benchmarks.reliability.rehearsal import AXES, KEY, Emulated, Shop, Work, emulated
from tests.processes.commands import Running

CALLS, WINDOW = 50, 5
RATED = 320
FAST, ROUNDS, WIDTH = 2_048, 3, 64
MANY = 10_240


def measure() -> list[Row]:
    rows = [
        *_rate("no rate given", ""),
        *_rate(f"rate: {CALLS}/{WINDOW}s", f"  rate: {CALLS}/{WINDOW}s"),
    ]
    rounds = [_throughput(FAST) for _ in range(ROUNDS)]
    many = _throughput(MANY, baseline=False)["ours"]
    return [
        *rows,
        (f"bare aiohttp loop, {FAST:,} calls of v1", _speed(rounds, "bare"), "baseline"),
        ("… that commits before and after each call", _speed(rounds, "durable"), ""),
        ("relightflow run, the same", _speed(rounds, "ours"), ""),
        ("… as a share of the baseline", _share(rounds, "bare"), "≥ 0.85"),
        ("… of the loop that commits", _share(rounds, "durable"), ""),
        (
            f"… {MANY:,} paid jobs in one run",
            f"{many['seconds']:.0f} s, {many['mb']:.0f} MB",
            "≤ 150 MB",
        ),
    ]


def _rate(name: str, limits: str) -> list[Row]:
    """How much of a window's quota is used from the first to the last submit, and what was refused."""
    options = ("--rate", f"{CALLS}/{WINDOW}s", "--latency", "0.3")
    with tempfile.TemporaryDirectory() as made, emulated(Path(made), *options) as provider:
        shop = Shop(Path(made), provider.url, Work(images=5, cells=64, limits=limits))
        ended = shop.run()
        assert ended.exit == 0, ended.said
        bill = provider.bill()
        assert len(bill) == RATED == len(shop.delivered())
        refused = _refused(provider)
    taken = [row["created"] for row in bill]
    ideal = (RATED - 1) // CALLS * WINDOW
    share = ideal / (max(taken) - min(taken))
    rated = "none" if limits else "≤ 3 %"
    return [
        (f"{RATED} jobs at {CALLS} a {WINDOW} s, {name}: quota used", f"{share:.1%}", "≥ 95 %"),
        ("… submits refused with 429", f"{refused} ({refused / (RATED + refused):.1%})", rated),
    ]


def _refused(provider: Emulated) -> int:
    return int(provider.wire()["statuses"].get("submit 429", 0))


def _speed(rounds: list[dict[str, dict[str, float]]], what: str) -> str:
    speed = median(FAST / found[what]["seconds"] for found in rounds)
    cpu = median(found[what]["cpu"] / FAST for found in rounds)
    return f"{speed:,.0f} per second, {1e3 * cpu:.2f} ms of processor time each"


def _share(rounds: list[dict[str, dict[str, float]]], of: str) -> str:
    by_clock, by_cpu = (
        median(found[of][what] / found["ours"][what] for found in rounds)
        for what in ("seconds", "cpu")
    )
    return f"{by_clock:.2f}; by processor time {by_cpu:.2f}"


def _throughput(jobs: int, baseline: bool = True) -> dict[str, dict[str, float]]:
    """Seconds, seconds of processor time and peak MB of each; of ours without what a run takes that has
    nothing left to buy."""
    options = ("--latency", "0", "--credits", str(3 * jobs))
    with tempfile.TemporaryDirectory() as made, emulated(Path(made), *options) as provider:
        found: dict[str, dict[str, float]] = {}
        for loop in ("bare", "durable") if baseline else ():
            found[loop] = case("benchmarks.provider", provider.url, str(jobs), made, loop)
        cells = min(256, jobs)
        limits = "  max_jobs: 100000"
        work = Work("v1", jobs // cells, cells, concurrency=WIDTH, limits=limits, max_cost=jobs)
        shop = Shop(Path(made), provider.url, work, fork=False)
        process, cpu = _run(shop)
        assert len(shop.delivered()) == jobs
        summary = next((shop.state / "runs").glob("*/summary.json"))
        seconds = json.loads(summary.read_text())["seconds"]
        found["ours"] = {
            "seconds": seconds,
            "cpu": cpu - _run(shop)[1],
            "mb": process.peak / 1024,
        }
        return found


def _run(shop: Shop) -> tuple[Running, float]:
    """A run as a process of its own, and its processor time."""
    before = os.times()
    process = shop.start("--quiet")
    said = process.wait()
    after = os.times()
    assert said.code == 0, said.err
    return process, sum(after[2:4]) - sum(before[2:4])


class _Commits:
    """A database in which as many rows are committed together as wait."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE call (number INTEGER, state TEXT, result TEXT)")
        self._waiting: list[tuple[tuple[Any, ...], asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def put(self, *row: Any) -> None:
        """Returns once the row is durable."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((row, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit())
        await done

    async def _commit(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            await asyncio.to_thread(self._write, [row for row, _ in group])
            for _, done in group:
                done.set_result(None)

    def _write(self, rows: list[tuple[Any, ...]]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO call VALUES (?, ?, ?)", rows)
        self._db.execute("COMMIT")


def _durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


async def bare(url: str, jobs: int, folder: Path, durable: bool) -> float:
    """Seconds for as many calls of v1: post, read, hash, write as a blob and as an output. `durable`:
    the blob too, and what is done is committed before the call and after it."""
    import aiohttp

    blobs, outputs = folder / "blobs", folder / "outputs"
    blobs.mkdir(parents=True)
    outputs.mkdir()
    commits = _Commits(folder / "calls.sqlite3") if durable else None
    cells = [dict(zip(AXES, values, strict=True)) for values in product(*AXES.values())]
    numbers = iter(range(jobs))
    headers = {"x-api-key": KEY}

    async def worker(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = {"image": f"{url}/nothing/{number // 256}.jpg", **cells[number % 256]}
            target = f"{url}/v1/segmind-relighting"
            if commits:
                await commits.put(number, "INTENT", "")
            async with session.post(target, json=body, headers=headers) as answer:
                data = await answer.read()
                assert answer.status == 200, data
            digest = hashlib.sha256(data).hexdigest()
            if commits:
                await asyncio.to_thread(_durably, blobs / digest, data)
                await commits.put(number, "STORED", digest)
            else:
                (blobs / digest).write_bytes(data)
            (outputs / f"{digest}.jpg").write_bytes(data)

    connector = aiohttp.TCPConnector(limit=WIDTH)
    async with aiohttp.ClientSession(connector=connector) as session:
        begun = time.perf_counter()
        await asyncio.gather(*(worker(session) for _ in range(WIDTH)))
        return time.perf_counter() - begun


if __name__ == "__main__":
    loop = sys.argv[4]
    used = time.process_time()
    seconds = asyncio.run(
        bare(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]) / loop, loop == "durable")
    )
    print(json.dumps({"seconds": seconds, "cpu": time.process_time() - used}))
