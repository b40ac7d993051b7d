"""Issue 9, section 3: unbilled only on the provider's own word."""

from __future__ import annotations

import pytest

from tests.world import behaviour
from tests.world.behaviour import Answer, Fault
from tests.world.harness import World

AT_POLL = (
    "HTML_422", "PROXY_422", "PROXY_FAILED", "OTHERS_FAILURE", "HTML_404", "PROXY_404",
    "HTML_500", "HTML_403", "HTML_200",
)  # fmt: skip
AT_SUBMIT = (
    "HTML_422", "PROXY_422", "HTML_500", "PROXY_500", "HTML_502", "HTML_404", "PROXY_404",
    "HTML_403", "HTML_200",
)  # fmt: skip


def answer(name: str) -> Answer:
    found: Answer = getattr(behaviour, name)
    return found


@pytest.mark.parametrize("name", AT_POLL)
def test_a_proxy_that_answers_a_poll_releases_nothing(world: World, name: str) -> None:
    world.recipe(concurrency=4)
    world.provider.behaviour.poll_fault = Fault(answer(name), times=4)
    world.run()
    world.provider.behaviour.poll_fault = None
    said = world.settle(runs=2)
    assert said.code == 0, world.story()
    world.assert_complete(4)


@pytest.mark.parametrize(
    ("protocol", "name"),
    [*(("v2", name) for name in AT_SUBMIT), *(("v1", name) for name in AT_SUBMIT[::2])],
)
def test_a_proxy_that_hides_a_purchase_buys_nothing_twice(
    world: World, protocol: str, name: str
) -> None:
    world.provider.behaviour.protocol = protocol
    world.recipe(images=1, concurrency=2)
    world.provider.behaviour.submit_fault = Fault(answer(name), times=2)
    world.provider.behaviour.submit_fault_bills = True
    world.run()
    world.provider.behaviour.submit_fault = None
    world.settle(runs=3)
    world.assert_paid_once()
    assert not world.missing(), world.story()


@pytest.mark.parametrize("name", ["HTML_500", "HTML_422", "HTML_404"])
def test_a_proxy_that_keeps_a_submit_back_is_overcome(world: World, name: str) -> None:
    world.recipe()
    world.provider.behaviour.submit_fault = Fault(answer(name), times=1)
    world.run()
    world.wait(660)
    said = world.settle()
    assert said.code == 0, world.story()
    world.assert_complete(4)


@pytest.mark.parametrize("named", [False, True], ids=["as documented", "with its id"])
def test_the_providers_own_failure_is_believed(world: World, named: bool) -> None:
    world.recipe(images=1)
    world.provider.behaviour.failure_id = named
    world.provider.behaviour.failing = True
    assert world.run().code == 1, world.story()
    assert not world.provider.bill


@pytest.mark.parametrize("concurrency", [1, 4])
def test_one_id_for_several_submits_is_delivered_once_at_most(
    world: World, concurrency: int
) -> None:
    """With several calls in flight nobody can know whose id it is; one after the other, one can."""
    world.recipe(concurrency=concurrency)
    world.provider.behaviour.same_id = True
    assert world.run().code in (0, 5), world.story()
    world.wait(660)
    world.settle(runs=2)
    world.assert_paid_once()
    images = [record["sha256"] for record in world.manifest() if "sha256" in record]
    assert len(images) == len(set(images)), world.story()
    assert concurrency > 1 or not world.misplaced(), world.story()


def test_a_result_that_bears_another_id_is_delivered_nowhere_else(world: World) -> None:
    world.recipe(concurrency=4)
    world.provider.behaviour.fates[4] = "swap"
    world.provider.hooks["swap"] = lambda: setattr(world.provider.behaviour, "swapped", 8)
    world.run()
    world.assert_paid_once()
    assert not world.misplaced(), world.story()
    world.settle(runs=2)
    world.assert_complete(4)
