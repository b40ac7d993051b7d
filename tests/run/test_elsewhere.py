from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from relightflow import api
from relightflow.errors import RefusedError
from relightflow.maintenance.adopt import Adopted
from relightflow.model.failure import FailureKind
from relightflow.plugins.records import OperatorPolicy
from relightflow.store.state_dir import StateDir
from tests.clones import adopted, clone
from tests.conftest import Program, Stage
from tests.scripted_backend import PRICE, fails

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


def test_a_job_that_failed_here_unbilled_and_was_bought_elsewhere_is_not_bought_again(
    stage: Stage,
) -> None:
    """As where somebody tried with a key that was refused, and then got the images of another; or where an old
    copy of the state was put back."""

    def refused(_: object, __: int) -> None:
        raise fails(FailureKind.REFUSED_CELL)

    stage.recipe([0, 1])
    stage.provider.on_submit = refused
    stage.run()
    kept = stage.folder / "kept"
    shutil.copytree(stage.state_dir.root, kept)
    stage.provider.on_submit = lambda _, __: None
    stage.run()
    shutil.rmtree(stage.state_dir.root)
    shutil.move(kept, stage.state_dir.root)
    with pytest.raises(RefusedError, match="adopt"):
        stage.run()
    assert len(stage.provider.bill) == 2
    assert adopted(stage).results == 2
    assert stage.run().exit == 0
    assert len(stage.provider.bill) == 2


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
