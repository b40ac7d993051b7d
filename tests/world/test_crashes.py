"""Killed at a moment that the provider chose: everything is bought once, and nothing is lost."""

from __future__ import annotations

import pytest

from tests.world.harness import KILLED, World

MOMENTS = ("kill lost", "kill billed", "kill answered", "kill polled", "kill fetched")
PROTOCOLS = ("v2", "v1")
CASES = [(p, m) for p in PROTOCOLS for m in MOMENTS if (p, m) != ("v1", "kill polled")]


@pytest.mark.parametrize(("protocol", "moment"), CASES)
def test_a_kill_costs_nothing_and_loses_nothing(world: World, protocol: str, moment: str) -> None:
    world.provider.behaviour.protocol = protocol
    world.recipe()
    world.provider.behaviour.fates[2] = moment
    assert world.run().code == KILLED
    world.provider.behaviour.fates.clear()
    said = world.settle()
    assert said.code == 0, world.story()
    world.assert_complete(4)
