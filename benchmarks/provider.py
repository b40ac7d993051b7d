"""What a paid run costs beside the network: rate, throughput and memory, against the emulator.

The emulator is a process of its own on loopback. The baseline of the throughput is a bare aiohttp
loop in a process of its own that posts the same calls, reads, hashes and writes the files. A second
loop is the least that keeps the promises (`benchmarks.least`): it commits each call to a database before
the first byte leaves and after the result is on the disk. They take turns, on the same file system.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from statistics import median

from benchmarks.least import PaidCalls
from benchmarks.processes import Row, case, file_systems
from benchmarks.reliability.rehearsal import AXES, KEY, Emulated, Shop, Work, emulated
from tests.processes.commands import Running

CALLS, WINDOW = 50, 5
RATED = 320
FAST, ROUNDS, WIDTH = 2_048, 3, 64
LOOPS = ("bare", "least", "ours")
MANY = 10_240


def measure() -> list[Row]:
    rows = [
        *_rate("no rate given", ""),
        *_rate(f"rate: {CALLS}/{WINDOW}s", f"  rate: {CALLS}/{WINDOW}s"),
    ]
    many = _throughput(MANY, baseline=False)["ours"]
    return [
        *rows,
        *(row for name, folder in file_systems() for row in _speeds(name, folder)),
        (
            f"{MANY:,} paid jobs in one run",
            f"{many['seconds']:.0f} s, {many['mb']:.0f} MB",
            "≤ 150 MB",
        ),
    ]


def _speeds(name: str, folder: Path) -> list[Row]:
    """The medians of some rounds; the shares are those of the figures that are shown."""
    rounds = [_throughput(FAST, folder) for _ in range(ROUNDS)]
    seconds, cpu = (
        {loop: median(found[loop][what] for found in rounds) for loop in LOOPS}
        for what in ("seconds", "cpu")
    )
    shown = {
        loop: f"{FAST / seconds[loop]:,.0f} per second, {1e3 * cpu[loop] / FAST:.2f} ms of "
        "processor time each"
        for loop in LOOPS
    }
    bare, least = (
        f"{seconds[loop] / seconds['ours']:.2f}; by processor time {cpu[loop] / cpu['ours']:.2f}"
        for loop in LOOPS[:2]
    )
    return [
        (f"{FAST:,} calls of v1, {name}: bare aiohttp loop", shown["bare"], "baseline"),
        ("… the least that keeps the promises", shown["least"], ""),
        ("… relightflow run", shown["ours"], ""),
        ("… as a share of the bare loop", bare, "≥ 0.85"),
        ("… of the least that keeps the promises", least, ""),
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


def _throughput(
    jobs: int, folder: Path | None = None, baseline: bool = True
) -> dict[str, dict[str, float]]:
    """Seconds, seconds of processor time and peak MB of each; of ours without what a run takes that has
    nothing left to buy."""
    options = ("--latency", "0", "--credits", str(3 * jobs))
    with (
        tempfile.TemporaryDirectory(dir=folder) as made,
        emulated(Path(made), *options) as provider,
    ):
        found: dict[str, dict[str, float]] = {}
        for loop in LOOPS[:2] if baseline else ():
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


async def loop_of(url: str, jobs: int, folder: Path, paid: bool) -> float:
    """Seconds for as many calls of v1: post, read, hash, write as a blob and as an output. `paid`: with
    what a purchase needs at the least."""
    import aiohttp

    blobs, outputs = folder / "blobs", folder / "outputs"
    blobs.mkdir(parents=True)
    outputs.mkdir()
    calls = PaidCalls(blobs) if paid else None
    cells = [dict(zip(AXES, values, strict=True)) for values in product(*AXES.values())]
    numbers = iter(range(jobs))
    headers = {"x-api-key": KEY}

    async def worker(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = {"image": f"{url}/nothing/{number // 256}.jpg", **cells[number % 256]}
            target = f"{url}/v1/segmind-relighting"
            if calls:
                await calls.intend(number)
            async with session.post(target, json=body, headers=headers) as answer:
                data = await answer.read()
                assert answer.status == 200, data
            if calls:
                digest = await calls.store(number, data)
            else:
                digest = hashlib.sha256(data).hexdigest()
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
        loop_of(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]) / loop, loop == "least")
    )
    print(json.dumps({"seconds": seconds, "cpu": time.process_time() - used}))
