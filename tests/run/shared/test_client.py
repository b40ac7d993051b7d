from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.errors import Exit
from relightflow.objects.bucket import Bucket
from relightflow.plugins.records import OperatorPolicy
from tests.conftest import Stage

SHADES = [0, 1, 2]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"file://{tmp_path}/store"


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


def test_a_store_that_only_may_be_asked_is_told_nothing(
    machines: list[Stage], tmp_path: Path
) -> None:
    one, two = machines
    two.operator = replace(two.operator, store_writes=False)
    two.run()
    assert not list((tmp_path / "store").rglob("*.json"))
    one.run()
    two.recipe(shades=[*SHADES, 3])
    two.run()
    assert len(list((tmp_path / "store/jobs").rglob("*.json"))) == 3


def test_a_store_that_cannot_be_told_loses_nothing_and_is_told_by_the_next_run(
    machines: list[Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines

    def refuse(*_: object) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "put", refuse)
        assert one.run().exit is Exit.OK
    assert len(one.images()) == 3
    assert any("the next run writes it again" in notice for notice in one.notices)
    assert one.run().counts.reused == 3
    assert len(one.provider.bill) == 3
    two.run()
    assert two.provider.submits == []


def test_a_store_is_told_once(machines: list[Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = machines
    one.run()

    def refuse(*_: object) -> str:
        raise AssertionError("put again")

    monkeypatch.setattr(Bucket, "put", refuse)
    assert one.run().exit is Exit.OK
    assert not one.notices
