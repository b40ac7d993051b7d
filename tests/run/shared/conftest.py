"""Two machines with disks of their own, one provider, and one store."""

from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.plugins.records import OperatorPolicy
from tests.conftest import Stage, make_store

SHADES = [0, 1, 2]


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
