"""relightflow's own adapters pass the kits that it ships."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from relightflow.backends import builtin as backends
from relightflow.model.image import Image
from relightflow.objects.bucket import opened
from relightflow.plugins.records import OperatorPolicy, SourceContext, SourceRecord
from relightflow.plugins.source import Source
from relightflow.sinks import builtin as sinks
from relightflow.sources import builtin as sources
from relightflow.testing import check_backend, check_sink, check_source, sample_image_bytes

BACKENDS = {record.name: record for record in backends.relightflow_backends()}
SINKS = {record.name: record for record in sinks.relightflow_sinks()}
SOURCES = {record.name: record for record in sources.relightflow_sources()}


async def test_preview() -> None:
    await check_backend(BACKENDS["preview"])


@pytest.mark.parametrize("name", [name for name in SINKS if name != "s3"])
def test_sink(name: str, tmp_path: Path) -> None:
    check_sink(SINKS[name], tmp_path, {"path": "out"})


def test_glob(tmp_path: Path) -> None:
    for number in range(12):
        path = tmp_path / f"photos/{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(sample_image_bytes(number))
    (tmp_path / "photos/broken.png").write_bytes(b"no image")

    def change(image: Image) -> None:
        (tmp_path / image.name).write_bytes(sample_image_bytes(99))

    check_source(SOURCES["glob"], tmp_path, {"include": ["photos/*"]}, change)


def test_manifest(tmp_path: Path) -> None:
    records: list[dict[str, object]] = [{"record": "recipe", "format": 1}]
    (tmp_path / "out/side").mkdir(parents=True)
    for number in range(3):
        data = sample_image_bytes(number)
        path = f"side/{number}.png"
        (tmp_path / "out" / path).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        records.append({"record": "output", "status": "done", "path": path, "sha256": digest})
    lines = "\n".join(map(json.dumps, records))
    (tmp_path / "out/manifest.jsonl").write_text(lines)

    def change(image: Image) -> None:
        (tmp_path / "out" / image.name).write_bytes(sample_image_bytes(99))

    check_source(SOURCES["manifest"], tmp_path, {"path": "out/manifest.jsonl"}, change)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address under which tmp_path/served can be read."""
    (tmp_path / "served").mkdir()
    handler = partial(_Quiet, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_urls(tmp_path: Path, served: str) -> None:
    for number in range(5):
        (tmp_path / f"served/{number}.png").write_bytes(sample_image_bytes(number))
    (tmp_path / "served/page.png").write_text("<html>no image</html>")
    (tmp_path / "recipe").mkdir()
    urls = [f"{served}/{name}.png" for name in (*range(5), "page", "gone")]

    def change(image: Image) -> None:
        (tmp_path / "served" / image.name).write_bytes(sample_image_bytes(99))

    check_source(_on_loopback(SOURCES["urls"]), tmp_path / "recipe", {"urls": urls}, change)


def _on_loopback(record: SourceRecord) -> SourceRecord:
    """`record`, by an operator who allows what the kit's stranger does not."""
    operator = OperatorPolicy(allow_private_network=True)

    def create(context: SourceContext) -> Source:
        return record.make(replace(context, operator=operator))

    return replace(record, create=create)


def test_s3_source(s3: str, tmp_path: Path) -> None:
    bucket = opened(f"s3://{s3}/photos/")
    for number in range(12):
        bucket.put(f"{number}.png", sample_image_bytes(number))
    bucket.put("broken.png", b"no image")

    def change(image: Image) -> None:
        bucket.put(image.name, sample_image_bytes(99))

    check_source(SOURCES["s3"], tmp_path, {"uri": f"s3://{s3}/photos/"}, change)


def test_s3_sink(s3: str, tmp_path: Path) -> None:
    check_sink(SINKS["s3"], tmp_path, {"uri": f"s3://{s3}/out/"})
