"""Issue 9, section 4: a bad download is not the end of what was paid for."""

from __future__ import annotations

import pytest

from tests.world.behaviour import HTML, HTML_404, HTML_502, Answer, Fault
from tests.world.harness import KILLED, World

BAD = {
    "page": Answer(200, "<html>maintenance, back in a minute</html>", HTML),
    "page as image": Answer(200, "<html>maintenance</html>", "image/png"),
    "nothing": Answer(200, "", "image/png"),
    "not found": HTML_404,
    "forbidden": Answer(403, "<Error><Code>AccessDenied</Code></Error>", "application/xml"),
    "bad gateway": HTML_502,
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_for_a_result_is_overcome_by_a_later_run(world: World, name: str) -> None:
    world.recipe(images=1, concurrency=2)
    world.provider.behaviour.result_fault = Fault(BAD[name], times=2)
    world.run()
    world.provider.behaviour.result_fault = None
    said = world.settle(runs=3)
    assert said.code == 0, world.story()
    world.assert_complete(2)


@pytest.mark.parametrize("name", ["page", "page as image", "nothing"])
def test_v1_that_answers_without_an_image_is_collected_from_the_records(
    world: World, name: str
) -> None:
    world.provider.behaviour.protocol = "v1"
    world.recipe(images=1, concurrency=2)
    world.provider.behaviour.result_fault = Fault(BAD[name], times=2)
    world.run()
    world.wait(660)
    said = world.settle(runs=2)
    assert said.code == 0, world.story()
    world.assert_complete(2)


@pytest.mark.parametrize("ids", [True, False], ids=["id", "no id"])
def test_a_v1_body_that_was_cut_is_collected_from_the_records(world: World, ids: bool) -> None:
    world.provider.behaviour.protocol = "v1"
    world.provider.behaviour.v1_ids = ids
    world.provider.behaviour.v1_cut = 1
    world.recipe(images=1)
    assert world.run().code in (0, 5), world.story()
    world.wait(660)
    said = world.settle(runs=2)
    assert said.code == 0, world.story()
    world.assert_complete(2)


def test_completed_before_the_output_is_named_is_asked_again(world: World) -> None:
    world.recipe(images=1, concurrency=2)
    world.provider.behaviour.polls_until_named = 2
    said = world.settle(runs=3)
    assert said.code == 0, world.story()
    world.assert_complete(2)


@pytest.mark.parametrize("protocol", ["v2", "v1"])
def test_a_result_that_is_too_large_stays_collectable(world: World, protocol: str) -> None:
    world.provider.behaviour.protocol = protocol
    world.recipe(images=1, matrix={"light_direction": "left"})
    world.provider.behaviour.oversize = True
    assert world.run().code in (1, 5, 8, 75), world.story()
    world.provider.behaviour.oversize = False
    said = world.settle(runs=3)
    assert said.code == 0, world.story()
    world.assert_complete(1)


def test_a_result_that_never_comes_is_given_up_with_its_price_and_not_bought_again(
    world: World,
) -> None:
    world.recipe(images=1, matrix={"light_direction": "left"})
    world.provider.behaviour.fates[1] = "kill fetched"
    assert world.run().code == KILLED
    world.provider.behaviour.result_fault = Fault(HTML_404)
    world.wait(8 * 24 * 3600)
    world.provider.behaviour.patience = 3
    world.run()
    world.assert_paid_once()
    assert "0.05" in world.said[-1].text, world.story()
    assert world.said[-1].code in (1, 5), world.story()


def test_a_request_that_was_forgotten_is_collected_from_the_records(world: World) -> None:
    world.recipe(images=1)
    world.provider.behaviour.fates[2] = "kill answered"
    world.run()
    world.wait(2 * 3600)
    said = world.settle(runs=3)
    assert said.code == 0, world.story()
    world.assert_complete(2)
