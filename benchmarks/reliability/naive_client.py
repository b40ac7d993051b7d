"""The script that many would write: the official SDK, six threads, three tries, skip what is on disk.

    python -m benchmarks.reliability.naive_client URL v1|v2|fal CELLS OUT IMAGE…

It is here to be compared with, and is not careless: a file is only kept whole (written aside, then
renamed), and what is on disk is never asked for again.
"""

from __future__ import annotations

import os
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fal_client
from fal_client import client as fal_constants
from segmind import SegmindClient

from benchmarks.reliability.rehearsal import KEY, KEYS, Work

MODEL, FAL_MODEL = "segmind-relighting", "bria/fibo-edit/relight"
THREADS, TRIES = 6, 3


def fetch(client: Any, api: str, inputs: dict[str, str]) -> bytes:
    """One image, bought."""
    if api == "fal":
        result = client.submit(FAL_MODEL, {"image_url": inputs.pop("image"), **inputs}).get()
        return _downloaded(result["image"]["url"])
    if api == "v1":
        content: bytes = client.run_sync(MODEL, **inputs).content
        return content
    # `client.run` is this with a look every second; the quick look keeps the comparison short
    done = client.submit_async(MODEL, **inputs).wait(interval=0.1)
    return _downloaded(done["output"])


def _downloaded(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        data: bytes = answer.read()
    return data


def _client(url: str, api: str) -> Any:
    """The provider's own, with its host moved and nothing else."""
    if api != "fal":
        return SegmindClient(api_key=KEY, base_url=f"{url}/v1")
    fal_constants.QUEUE_URL_FORMAT = f"{url}/"
    return fal_client.SyncClient(key=KEYS["fal"][1])


def one(client: Any, api: str, inputs: dict[str, str], path: Path) -> None:
    """Buy what is not on disk; three tries, as one does."""
    if path.exists():
        return
    for _ in range(TRIES):
        try:
            data = fetch(client, api, dict(inputs))
        except Exception as error:
            print(f"{path.name}: {error!r}, once more", file=sys.stderr)
        else:
            aside = path.with_suffix(".tmp")
            aside.write_bytes(data)
            aside.rename(path)
            return


def main(url: str, api: str, cells: int, out: Path, images: list[str]) -> None:
    out.mkdir(exist_ok=True)
    client = _client(url, api)
    work = Work(cells=cells, backend="fal" if api == "fal" else "segmind")
    print(f"process {os.getpid()}", flush=True)
    with ThreadPoolExecutor(THREADS) as pool:
        for number, image in enumerate(images):
            for index, cell in enumerate(work.cut()):
                path = out / f"{number}-{index}.jpg"
                pool.submit(one, client, api, {"image": image, **cell}, path)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), sys.argv[5:])
