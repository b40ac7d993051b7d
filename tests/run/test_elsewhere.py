from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from relightflow import api
from relightflow.errors import RefusedError
from relightflow.maintenance.adopt import Adopted
from relightflow.plugins.records import OperatorPolicy
from relightflow.store.state_dir import StateDir
from tests.clones import adopted, clone
from tests.conftest import Program, Stage
from tests.scripted_backend import PRICE

__all__ = ["clone"]


@pytest.mark.parametrize("mode", ["v1", "v2"])
def test_a_clone_buys_nothing_and_says_what_to_do(program: Program, mode: str) -> None:
    stage = program.stage
    stage.recipe([0, 1, 2, 3])
    program.run(mode=mode)
    shutil.rmtree(stage.state_dir.root)
    code, said = program.run(mode=mode)
    assert (code, len(program.billed())) == (9, 4)
    assert "relightflow adopt recipe.yaml" in said
    assert adopted(stage) == Adopted(4, 4 * PRICE, ())
    code, said = program.run(mode=mode)
    assert (code, len(program.billed())) == (0, 4)


def test_a_plan_says_it_too_and_buy_again_buys(clone: Stage) -> None:
    said = api.bought_elsewhere(clone.plan(), clone.registry, OperatorPolicy(), clone.state_dir)
    assert "4 jobs are done according to the manifest" in said
    with pytest.raises(RefusedError, match="adopt"):
        clone.run()
    assert clone.run(buy_again=True).exit == 0
    assert len(clone.provider.bill) == 8


def test_a_recipe_that_moved_up_is_told_where_its_state_is(stage: Stage, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    stage.recipe([0, 1])
    stage.run()
    shutil.move(stage.state_dir.root, inner / ".relightflow")
    shutil.rmtree(stage.out)
    with pytest.raises(RefusedError, match=f"--state {inner}"):
        stage.run()
    assert len(stage.provider.bill) == 2
    stage.state_dir = StateDir(inner / ".relightflow")
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 2
