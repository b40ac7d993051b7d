"""What a paid run costs beside the network: rate, throughput and memory, against the emulator.

The emulator is a process of its own on loopback. The baseline of the throughput is a bare aiohttp
loop in a process of its own that posts the same calls, reads, hashes and writes the files.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from statistics import median

from benchmarks.processes import Row, case
from benchmarks.reliability.rehearsal import AXES, KEY, Emulated, Shop, Work, emulated

CALLS, WINDOW = 50, 5
RATED = 320
FAST, ROUNDS, WIDTH = 2_048, 3, 64
MANY = 10_240


def measure() -> list[Row]:
    rows = [
        *_rate("no rate given", ""),
        *_rate(f"rate: {CALLS}/{WINDOW}s", f"  rate: {CALLS}/{WINDOW}s"),
    ]
    shares, speeds = [], []
    for _ in range(ROUNDS):
        bare, ours, _ = _throughput(FAST)
        shares.append(bare / ours)
        speeds.append((FAST / bare, FAST / ours))
    _, seconds, mb = _throughput(MANY, baseline=False)
    return [
        *rows,
        (
            f"bare aiohttp loop, {FAST:,} calls of v1",
            f"{median(s[0] for s in speeds):,.0f} per second",
            "baseline",
        ),
        ("relightflow run, the same", f"{median(s[1] for s in speeds):,.0f} per second", ""),
        ("… as a share of the baseline", f"{median(shares):.2f}", "≥ 0.5"),
        (f"… {MANY:,} paid jobs in one run", f"{seconds:.0f} s, {mb:.0f} MB", "≤ 150 MB"),
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


def _throughput(jobs: int, baseline: bool = True) -> tuple[float, float, float]:
    """Seconds of the bare loop and of the run, and the run's peak MB."""
    options = ("--latency", "0", "--credits", str(jobs))
    with tempfile.TemporaryDirectory() as made, emulated(Path(made), *options) as provider:
        bare = 0.0
        if baseline:
            bare = case("benchmarks.provider", provider.url, str(jobs), made)["seconds"]
        cells = min(256, jobs)
        limits = "  max_jobs: 100000"
        shop = Shop(
            Path(made),
            provider.url,
            Work("v1", jobs // cells, cells, concurrency=WIDTH, limits=limits, max_cost=jobs),
            fork=False,
        )
        process = shop.start("--quiet")
        said = process.wait()
        assert said.code == 0, said.err
        assert len(shop.delivered()) == jobs
        summary = next((shop.state / "runs").glob("*/summary.json"))
        return bare, json.loads(summary.read_text())["seconds"], process.peak / 1024


async def bare(url: str, jobs: int, folder: Path) -> float:
    """Seconds for as many calls of v1: post, read, hash, write as a blob and as an output."""
    import aiohttp

    blobs, outputs = folder / "bare/blobs", folder / "bare/outputs"
    blobs.mkdir(parents=True)
    outputs.mkdir()
    cells = [dict(zip(AXES, values, strict=True)) for values in product(*AXES.values())]
    numbers = iter(range(jobs))
    headers = {"x-api-key": KEY}

    async def worker(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            body = {"image": f"{url}/nothing/{number // 256}.jpg", **cells[number % 256]}
            target = f"{url}/v1/segmind-relighting"
            async with session.post(target, json=body, headers=headers) as answer:
                data = await answer.read()
                assert answer.status == 200, data
            digest = hashlib.sha256(data).hexdigest()
            (blobs / digest).write_bytes(data)
            (outputs / f"{digest}.jpg").write_bytes(data)

    connector = aiohttp.TCPConnector(limit=WIDTH)
    async with aiohttp.ClientSession(connector=connector) as session:
        begun = time.perf_counter()
        await asyncio.gather(*(worker(session) for _ in range(WIDTH)))
        return time.perf_counter() - begun


if __name__ == "__main__":
    seconds = asyncio.run(bare(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
    print(json.dumps({"seconds": seconds}))
