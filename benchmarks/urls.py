"""How fast and how lean the `urls` source is: `python -m benchmarks urls [--whole]`.

A server in a process of its own hands out JPEGs of 512 × 512 pixels on loopback. The same 3,000
addresses are fetched by the source (which hashes, checks and keeps each image) and by img2dataset
from PyPI (2 processes, 64 threads, images stored as they come), installed into a temporary
environment, in turns. Then a list of 10,000 addresses (--whole: 100,000) is scanned in a process of its
own, first as new and then as unchanged, for its peak memory.
"""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.processes import Row

COUNT, MANY, FEW = 3000, 100_000, 10_000
GOAL_TIMES, GOAL_MEGABYTES = 2.0, 200
ROUNDS = 3
IMAGES = 32
"""Different ones; the server sends them in turn."""
PEER = ("img2dataset==1.47.0", "setuptools<81")  # it imports pkg_resources

_PEER = """
import sys
from img2dataset import download
if __name__ == "__main__":
    download(url_list=sys.argv[1], output_folder=sys.argv[2], processes_count=2, thread_count=64,
             resize_mode="no", output_format="files", number_sample_per_shard=750,
             enable_wandb=False, max_shard_retry=0, disallowed_header_directives=[])
"""


def image(seed: int) -> bytes:
    """A JPEG of 512 × 512 pixels with soft forms and some noise, about 45 kB."""
    import numpy as np
    import PIL.Image

    random = np.random.default_rng(seed)
    coarse = random.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    smooth = PIL.Image.fromarray(coarse).resize((512, 512), PIL.Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth) + random.normal(0, 6, (512, 512, 3))
    out = io.BytesIO()
    PIL.Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()


async def serve() -> None:
    """Hand out images until standard input ends; the port is printed first."""
    from aiohttp import web

    images = [image(seed) for seed in range(IMAGES)]

    async def answer(request: web.BaseRequest) -> web.Response:
        number = int(request.path.rpartition("/")[2].partition(".")[0])
        tag = f'"{number}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        body = images[number % IMAGES]
        return web.Response(body=body, content_type="image/jpeg", headers={"ETag": tag})

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


@contextmanager
def server() -> Iterator[str]:
    """The base address of a server in another process."""
    command = [sys.executable, "-m", "benchmarks.urls", "--serve"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


def scan(folder: Path, cache: Path) -> dict[str, float]:
    """Scan folder/list.txt in this process: images, seconds, peak megabytes."""
    import resource

    from relightflow.model.image import Image
    from relightflow.model.values import FrozenMap
    from relightflow.plugins.records import OperatorPolicy, SourceContext
    from relightflow.sources.urls.source import Urls

    operator = OperatorPolicy(allow_private_network=True)
    context = SourceContext(folder, FrozenMap({"file": "list.txt"}), 0, operator, cache)
    begun = time.perf_counter()
    source = Urls(context)
    images = sum(isinstance(item, Image) for item in source.scan())
    source.close()
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"images": images, "seconds": seconds, "megabytes": peak}


def scanned(folder: Path, cache: Path) -> dict[str, float]:
    """The same in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.urls", "--scan", str(folder), str(cache)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def listed(folder: Path, base: str, count: int) -> Path:
    """A list of `count` addresses in a folder of its own."""
    folder.mkdir()
    path = folder / "list.txt"
    path.write_text("".join(f"{base}/images/{number}.jpg\n" for number in range(count)))
    return path


def peer_environment(folder: Path) -> Path:
    """A Python that has img2dataset."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", *PEER], check=True)
    return python


def peer_rate(python: Path, urls: Path, out: Path) -> float:
    """img2dataset's images a second: timed from outside and by its own statistics without start-up,
    and the better of the two counts."""
    begun = time.perf_counter()
    script = out.with_suffix(".py")
    script.write_text(_PEER)
    command = [str(python), str(script), str(urls), str(out)]
    subprocess.run(command, check=True, capture_output=True)
    seconds = time.perf_counter() - begun
    stats = [json.loads(path.read_text()) for path in out.glob("*_stats.json")]
    got: int = sum(shard["successes"] for shard in stats)
    assert got == COUNT, f"img2dataset fetched {got} of {COUNT}"
    own: float = max(s["end_time"] for s in stats) - min(s["start_time"] for s in stats)
    return got / min(seconds, own)


def rates(folder: Path, base: str) -> tuple[float, float]:
    """Images per second, ours and img2dataset's: the best of several turns each."""
    urls = listed(folder / "rates", base, COUNT)
    python = peer_environment(folder / "peer")
    ours, theirs = [], []
    for turn in range(ROUNDS):
        found = scanned(urls.parent, folder / f"cache-{turn}")
        assert found["images"] == COUNT
        ours.append(found["images"] / found["seconds"])
        theirs.append(peer_rate(python, urls, folder / f"peer-{turn}"))
    return max(ours), max(theirs)


def measure(whole: bool) -> list[Row]:
    """Rows of (what, figure, goal)."""
    count = MANY if whole else FEW
    folder = Path(tempfile.mkdtemp(prefix="relightflow-urls-"))
    try:
        with server() as base:
            ours, theirs = rates(folder, base)
            urls = listed(folder / "many", base, count)
            first = scanned(urls.parent, folder / "cache-many")
            again = scanned(urls.parent, folder / "cache-many")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert first["images"] == again["images"] == count
    return [
        (f"{COUNT:,} URLs, img2dataset", f"{theirs:.0f} images/s", "baseline"),
        (f"{COUNT:,} URLs, relightflow", f"{ours:.0f} images/s", ""),
        ("… as a multiple", f"{ours / theirs:.1f} ×", f"≥ {GOAL_TIMES:g} ×"),
        (f"{count:,} URLs, new: peak memory", f"{first['megabytes']:.0f} MB",
         f"≤ {GOAL_MEGABYTES} MB"),
        (f"{count:,} URLs, unchanged: peak memory", f"{again['megabytes']:.0f} MB",
         f"≤ {GOAL_MEGABYTES} MB"),
        ("… one conditional request each", f"{count / again['seconds']:.0f} URLs/s", ""),
    ]  # fmt: skip


def main(asked: list[str]) -> None:
    """One of the processes that `measure` starts."""
    if asked[0] == "--serve":
        asyncio.run(serve())
    else:
        print(json.dumps(scan(Path(asked[1]), Path(asked[2]))))


if __name__ == "__main__":
    main(sys.argv[1:])
