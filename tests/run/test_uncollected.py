"""What waits at a provider that the recipe does not name any more is told of."""

from __future__ import annotations

from dataclasses import replace

from relightflow.errors import Exit
from relightflow.model.attempt import State
from relightflow.model.failure import FailureKind
from relightflow.plugins.registry import Loaded
from tests.conftest import Stage
from tests.scripted_backend import fails, record


def test_calls_of_a_backend_that_the_recipe_does_not_name_any_more_are_told_of(
    stage: Stage,
) -> None:
    def away(_: object, __: int) -> None:
        raise fails(FailureKind.ACCOUNT)

    other = Loaded(replace(record(stage.provider), name="atelier"), "test")
    stage.registry = replace(stage.registry, backends={**stage.registry.backends, "atelier": other})
    stage.provider.mode = "v2"
    stage.provider.on_collect = away
    stage.recipe(shades=[0, 1])
    stage.run()
    assert stage.states() == [State.ACCEPTED] * 2
    stage.provider.on_collect = lambda _, __: None
    written = stage.path.read_text()
    stage.path.write_text(written.replace("type: studio", "type: atelier"))
    summary = stage.run()
    [said] = [notice for notice in summary.notices if "not collected" in notice]
    assert said.startswith("not collected by this run: 2 calls of 'studio', which")
    stage.path.write_text(written)
    summary = stage.run(collect_only=True)
    assert (summary.exit, summary.notices) == (Exit.OK, ())
    assert len(stage.provider.bill) == 4


def test_what_is_free_can_be_made_again(stage: Stage) -> None:
    stage.recipe(model="gift")
    assert not any("collected" in notice for notice in stage.run().notices)
