from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from relightflow.backends.emulator.assets import AssetStore
from relightflow.backends.emulator.fetch import Unreachable, look, read
from relightflow.backends.emulator.images import tiny

INLINE = "data:image/jpeg;base64," + base64.b64encode(tiny()).decode()


def test_public_url_is_never_asked_for() -> None:
    assert look("https://example.com/a.jpg", AssetStore(), 0) == "https://example.com/a.jpg"
    assert read("https://example.com/a.jpg", AssetStore(), 0) is None
    assert read("http://169.254.169.254/latest", AssetStore(), 0) is None


def test_data_uri_is_read_and_shown_by_its_hash() -> None:
    assert read(INLINE, AssetStore(), 0) == tiny()
    assert look(INLINE, AssetStore(), 0).startswith("data:sha256=")


async def test_loopback_url_is_read(connect: Any) -> None:
    client = await connect()
    answer = await client.ask("POST", "/upload-asset", json={"data_urls": [INLINE]})
    url = answer.json["file_urls"][0]
    assert await asyncio.to_thread(read, url, AssetStore(), 0) == tiny()
    with pytest.raises(Unreachable, match="answered 404"):
        await asyncio.to_thread(read, url + "x", AssetStore(), 0)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("ftp://example.com/a", "must be an http"),
        ("a.jpg", "must be an http"),
        ("data:image/png;base64,!!", "not a base64 data URI"),
        ("data:image/png,abc", "not a base64 data URI"),
        ("data:image/png;base64,aGVsbG8=", "not an image"),
        ("http://127.0.0.1/assets/none", "answered 404"),
    ],
)
def test_what_cannot_be_an_image_is_told(image: Any, words: Any) -> None:
    with pytest.raises(Unreachable, match=words):
        look(image, AssetStore(), 0)


def test_asset_that_is_not_an_image_is_told() -> None:
    assets = AssetStore()
    name = assets.upload(b"<html>", "text/html", None)
    with pytest.raises(Unreachable, match="not an image"):
        look(f"http://127.0.0.1/assets/{name}", assets, 0)
