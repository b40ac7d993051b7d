from pathlib import Path

import pytest

from relightflow import api
from relightflow.plugins.records import OperatorPolicy
from tests.conftest import Stage


@pytest.fixture
def machines(tmp_path: Path) -> list[Stage]:
    """Two with disks of their own and one store."""
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        stage = Stage(tmp_path / name)
        stage.image("a.png", "the same on both")
        stage.recipe(shades=[0, 1, 2])
        stage.operator = OperatorPolicy(store=f"file://{tmp_path}/store")
        made.append(stage)
    return made


def test_what_the_shared_store_has_is_not_to_be_bought(machines: list[Stage]) -> None:
    one, two = machines
    one.recipe(shades=[0, 1])
    one.run()
    found = api.plan_status(two.plan(), two.state_dir, two.operator)
    assert (found.new, found.shared, found.done) == (1, 2, 0)
    assert found.price is not None
    assert found.price.high == 50_000
    assert not two.state_dir.root.exists(), "nothing is taken over by looking"
    assert api.plan_status(two.plan(), two.state_dir).new == 3, "unless nobody names the store"


def test_a_store_that_is_not_there_yet_is_empty_and_not_made(
    machines: list[Stage], tmp_path: Path
) -> None:
    stage = machines[0]
    found = api.plan_status(stage.plan(), stage.state_dir, stage.operator)
    assert (found.new, found.shared, found.store_fault) == (3, 0, "")
    assert not (tmp_path / "store").exists()


def test_offline_the_store_is_not_asked(machines: list[Stage]) -> None:
    one, two = machines
    one.run()
    offline = OperatorPolicy(store=two.operator.store, offline=True)
    assert api.plan_status(two.plan(), two.state_dir, offline).new == 3
