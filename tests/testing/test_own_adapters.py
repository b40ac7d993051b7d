"""relightflow's own adapters pass the kits that it ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.backends import builtin as backends
from relightflow.model.image import Image
from relightflow.sinks import builtin as sinks
from relightflow.sources import builtin as sources
from relightflow.testing import check_backend, check_sink, check_source, sample_picture

BACKENDS = {record.name: record for record in backends.relightflow_backends()}
SINKS = {record.name: record for record in sinks.relightflow_sinks()}
SOURCES = {record.name: record for record in sources.relightflow_sources()}


async def test_preview() -> None:
    await check_backend(BACKENDS["preview"])


@pytest.mark.parametrize("name", SINKS)
def test_sink(name: str, tmp_path: Path) -> None:
    check_sink(SINKS[name], tmp_path, {"path": "out"})


def test_glob(tmp_path: Path) -> None:
    for number in range(12):
        path = tmp_path / f"photos/{number}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(sample_picture(number))
    (tmp_path / "photos/broken.png").write_bytes(b"no picture")

    def change(image: Image) -> None:
        (tmp_path / image.name).write_bytes(sample_picture(99))

    check_source(SOURCES["glob"], tmp_path, {"include": ["photos/*"]}, change)
