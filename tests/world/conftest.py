"""A world for each test: a project and an independent provider."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.harness import World
from tests.world.provider import Provider


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    provider = Provider()
    provider.start()
    yield World(tmp_path / "project", provider)
    provider.stop()
