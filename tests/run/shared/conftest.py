"""Two machines with disks of their own, one provider, and one store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from relightflow.model.summary import Summary
from relightflow.plugins.records import OperatorPolicy
from tests.conftest import Stage, make_store

SHADES = [0, 1, 2]


@asynccontextmanager
async def under_way(stage: Stage) -> AsyncIterator[asyncio.Future[Summary]]:
    """A run of `stage` whose calls are under way until the block ends; then it can be awaited."""
    sent, over = asyncio.Event(), asyncio.Event()

    async def slow() -> Any:
        sent.set()
        await over.wait()

    stage.provider.on_submit = lambda *_: slow()
    run = asyncio.ensure_future(stage.go())
    await sent.wait()
    yield run
    over.set()


@pytest.fixture
def store(tmp_path: Path) -> str:
    return make_store(f"file://{tmp_path}/store")


@pytest.fixture
def machines(tmp_path: Path, store: str) -> list[Stage]:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        stage = Stage(tmp_path / name)
        stage.image("a.png", "the same on both")
        stage.recipe(shades=SHADES)
        stage.operator = OperatorPolicy(store=store)
        made.append(stage)
    return made
