"""A clone of a project: recipe, images and manifest without the state."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from relightflow.deliver.target import open_targets
from relightflow.maintenance.adopt import Adopted, adopt
from relightflow.plugins.records import OperatorPolicy
from tests.conftest import Stage


@pytest.fixture
def clone(stage: Stage) -> Stage:
    """Four jobs are done; recipe, images and manifest are kept, the state is not."""
    stage.recipe([0, 1, 2, 3])
    stage.run()
    shutil.rmtree(stage.state_dir.root)
    return stage


def adopted(stage: Stage) -> Adopted:
    plan = stage.plan()
    targets = open_targets(plan.recipe, stage.registry, OperatorPolicy())
    return asyncio.run(adopt(plan, targets, stage.state_dir))
