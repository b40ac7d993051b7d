"""What real readers find in data sets of ours; a program of its own, because they are heavy, warn,
and keep caches. `reading.py WEBDATASET IMAGEFOLDER` prints JSON."""

import hashlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import webdataset  # type: ignore[import-untyped,unused-ignore]  # it brings no types
from datasets import load_dataset  # type: ignore[import-untyped,unused-ignore]  # nor does it
from PIL import Image


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pixels(image: Any) -> str:
    return sha256(image.convert("RGB").tobytes())


def shards(folder: Path) -> list[dict[str, Any]]:
    """Every sample, as it comes and decoded."""
    paths = sorted(map(str, folder.glob("*.tar")))
    plain = webdataset.WebDataset(paths, shardshuffle=False)
    decoded = webdataset.WebDataset(paths, shardshuffle=False).decode("pil")
    return [
        {
            "key": raw["__key__"],
            "fields": sorted(name for name in raw if not name.startswith("__")),
            "output": sha256(raw["output.png"]),
            "source": sha256(raw["source.png"]),
            "pixels": pixels(sample["output.png"]),
            "same": pixels(Image.open(io.BytesIO(raw["output.png"]))),
            "facts": sample["json"],
        }
        for raw, sample in zip(plain, decoded, strict=True)
    ]


def folder(path: Path) -> dict[str, Any]:
    """Every row of an image folder, its two image columns as hashes of their pixels."""
    found = load_dataset(str(path), split="train")
    rows = [
        {name: pixels(value) if hasattr(value, "convert") else value for name, value in row.items()}
        for row in found
    ]
    return {"columns": found.column_names, "rows": rows}


def packed(path: Path) -> list[str]:
    """The keys that `datasets` finds in the shards."""
    found = load_dataset(str(path), split="train")
    return [row["__key__"] for row in found]


if __name__ == "__main__":
    tars, files = map(Path, sys.argv[1:])
    found = {"shards": shards(tars), "folder": folder(files), "packed": packed(tars)}
    print(json.dumps(found))  # noqa: T201  its result
