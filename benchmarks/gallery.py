"""The gallery over 10,000 finished cells: how long `report` takes, and how soon and in how much memory
a real browser shows the page.

The images are one preview with a counter in a JPEG comment: real to decode, and each with a hash of
its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

from benchmarks.processes import Row
from relightflow.gallery.thumbnails import SIZE
from relightflow.report.gallery import ImageRequest, run_of_manifest, write
from relightflow.store.state_dir import StateDir

CELLS = 10_000
AXES = {
    "light_direction": ("left", "right", "top", "back"),
    "light_intensity": ("mood", "bright", "strong", "soft"),
    "light_temperature": ("warm", "cool", "neutral", "sunset"),
    "light_type": ("softbox", "sunlight", "spotlight", "ambient"),
}


def photograph() -> bytes:
    """A JPEG of 1152 × 864 with as much detail as a photograph has."""
    import numpy as np

    from relightflow.images import JPEG, encode

    random = np.random.default_rng(0)
    small = random.integers(0, 255, (27, 36, 3), dtype=np.uint8)
    large = np.kron(small, np.ones((32, 32, 1), dtype=np.uint8))
    noise = random.integers(0, 24, large.shape, dtype=np.uint8)
    return encode((large // 2 + noise).astype(np.uint8), JPEG, 80)


def numbered(image: bytes, number: int) -> bytes:
    """The same pixels under another hash: a comment segment after the start marker."""
    text = f"{number:08d}".encode()
    return image[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + image[2:]


def records(cells: int, blobs: Path | None) -> Iterator[dict[str, Any]]:
    """A manifest of `cells` outputs; where `blobs` is given the results are put there."""
    yield {
        "record": "recipe", "format": 1, "recipe": {"name": "large", "sha256": "0" * 64},
        "backend": "preview", "model": "preview", "counts": {},
    }  # fmt: skip
    image = photograph() if blobs else b""
    every = (
        (name, dict(zip(AXES, values, strict=True)))
        for name in (f"photos/{n:05d}.jpg" for n in range(cells))
        for values in product(*AXES.values())
    )
    for index, (name, cell) in enumerate(islice(every, cells)):
        data = numbered(image, index)
        sha256 = hashlib.sha256(data if blobs else str(index).encode()).hexdigest()
        if blobs:
            (blobs / sha256[:2]).mkdir(parents=True, exist_ok=True)
            (blobs / sha256[:2] / sha256).write_bytes(data)
        key = hashlib.sha256(f"job {index}".encode()).hexdigest()
        yield {
            "record": "output", "index": index, "job": key[:16], "key": key,
            "source": {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest(), "size": 1},
            "cell": cell, "parameters": cell, "repeat": 0, "status": "done",
            "path": f"{index:05d}.jpg", "sha256": sha256, "size": len(data),
            "width": 1152, "height": 864, "media_type": "image/jpeg", "cost": 0.05,
        }  # fmt: skip


def manifest(folder: Path, cells: int, with_images: bool) -> Path:
    """A state folder and a manifest in `folder`."""
    StateDir(folder / ".relightflow").create()
    blobs = folder / ".relightflow/blobs" if with_images else None
    path = folder / "manifest.jsonl"
    with path.open("w", encoding="ascii") as lines:
        lines.writelines(json.dumps(record) + "\n" for record in records(cells, blobs))
    return path


def report(path: Path, out: Path) -> float:
    """Seconds that `report` takes, from the manifest's path to the last file."""
    started = time.perf_counter()
    state = StateDir(path.parent / ".relightflow")
    write(
        [run_of_manifest(path, state)], ImageRequest(out, thumbs=SIZE), state.cache / "thumbnails"
    )
    return time.perf_counter() - started


def browser_memory(pid: int) -> float:
    """MB of a process and all below it, shared pages counted once (PSS)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        waiting += children.get(one, [])
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


FIRST_IMAGE = (
    "() => [...document.querySelectorAll('#grid img')].some((i) => i.complete && i.naturalWidth)"
)


def opened(page: Path) -> tuple[float, float, float, float]:
    """MB of the browser with an empty page; seconds to the first image, MB then, and MB after scrolling
    from end to end, without those of the empty page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        before = {int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit()}
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        root = min(
            int(p.name)
            for p in Path("/proc").iterdir()
            if p.name.isdigit() and int(p.name) not in before and _is_chromium(p)
        )
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        empty = browser_memory(root)
        tab.goto(page.as_uri(), wait_until="commit")
        tab.wait_for_function(FIRST_IMAGE, polling=10, timeout=120_000)
        first = tab.evaluate("performance.now()") / 1000
        tab.wait_for_function("document.body.dataset.ready")
        at_first = browser_memory(root) - empty
        for step in range(41):
            tab.evaluate(
                "(part) => "
                "{ const g = document.getElementById('grid'); g.scrollTop = part * g.scrollHeight; }",
                step / 40,
            )
            tab.wait_for_timeout(60)
        after = browser_memory(root) - empty
        browser.close()
    return empty, first, at_first, after


def _is_chromium(process: Path) -> bool:
    try:
        return b"chromium" in (process / "cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return False


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = manifest(folder, CELLS, with_images=True)
        out = folder / "report"
        cold = report(path, out)
        warm = report(path, folder / "again")
        same = report(path, out)
        empty, first, memory, scrolled = opened(out / "index.html")
        large = folder / "large"
        large.mkdir()
        many = manifest(large, 10 * CELLS, with_images=False)
        listed = report(many, large / "report")
        data = sum(file.stat().st_size for file in (large / "report").glob("data*.js")) / 1e6
    return [
        (f"gallery: report, {CELLS:,} cells, every thumbnail to make", f"{cold:.1f} s", ""),
        ("the same with thumbnails in the cache, a new folder", f"{warm:.1f} s", "≤ 3 s"),
        ("the same over the gallery that is there", f"{same:.1f} s", "≤ 3 s"),
        (f"gallery: {CELLS:,} cells in Chromium, first images", f"{first:.2f} s", "< 1 s"),
        ("memory of Chromium's processes with an empty page", f"{empty:.0f} MB", "baseline"),
        ("… what the gallery adds to it", f"{memory:.0f} MB", "< 350 MB"),
        ("… after scrolling from end to end", f"{scrolled:.0f} MB", "< 350 MB"),
        (f"gallery: report, {10 * CELLS:,} cells without images", f"{listed:.1f} s", ""),
        ("its data", f"{data:.1f} MB", ""),
    ]


if __name__ == "__main__":
    for row in measure():
        print(*row, sep=" | ", file=sys.stderr)
