"""A project folder to scan, with real images in it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

Put = Callable[..., Path]


def image_bytes(width: int = 8, height: int = 6, kind: str = "JPEG", shade: int = 128) -> bytes:
    """The bytes of a small image in one shade of grey."""
    out = io.BytesIO()
    PIL.Image.new("RGB", (width, height), (shade, shade, shade)).save(out, kind)
    return out.getvalue()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def put(project: Path) -> Put:
    """`put("a/b.jpg")` makes an image there, `put("x", b"...")` a file."""

    def put(name: str, data: bytes | None = None) -> Path:
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image_bytes() if data is None else data)
        return path

    return put
