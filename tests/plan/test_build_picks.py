"""A plan of picks has exactly their outputs, with the keys that the whole plan has."""

from __future__ import annotations

from dataclasses import replace

from relightflow.model.image import Image
from relightflow.model.picks import Pick, Picks
from relightflow.model.plan import Selection
from relightflow.model.recipe import Recipe
from relightflow.plan.build import build
from relightflow.plan.outputs import firsts, outputs
from relightflow.plugins.registry import load
from relightflow.recipe import load_text

TEXT = """\
version: 1
name: spring
sources: [{type: glob, include: ["*.png"]}]
backend: {type: segmind}
matrix: {light_direction: [left, right], light_temperature: [warm, cool]}
repeat: 2
sinks: [{type: directory, path: out/}]
"""
IMAGES = [
    Image(name, digit * 64, 1, 8, 8, "image/png", 0, name)
    for name, digit in (("a.png", "a"), ("b.png", "b"), ("twin.png", "a"))
]


def recipe() -> Recipe:
    return load_text(TEXT, load(found=tuple))


def test_keys_are_those_of_the_whole_plan_and_the_price_is_that_of_the_picks() -> None:
    whole = list(outputs(build(recipe(), IMAGES)))
    some = [whole[n] for n in (3, 9, 14, 19)]  # the last one is a twin of the first
    picks = Picks(
        "p", "", tuple(Pick(o.cell, o.image.name, o.image.sha256, o.job.repeat) for o in some)
    )
    plan = build(recipe(), IMAGES, Selection(picks=picks))
    made = list(outputs(plan))
    assert [o.job.key for o in made] == [o.job.key for o in some]
    assert [(o.image.name, o.cell, o.job.repeat) for o in made] == [
        (o.image.name, o.cell, o.job.repeat) for o in some
    ]
    assert [o.index for o in made] == [o.index for o in some]
    assert (plan.outputs_count, plan.jobs_count) == (4, 3)
    assert len(list(firsts(plan))) == 3
    assert plan.price
    assert plan.price.high == 3 * 50_000


def test_the_rest_of_the_selection_narrows_picks() -> None:
    whole = list(outputs(build(recipe(), IMAGES)))
    picks = Picks("p", "", tuple(Pick(o.cell, o.image.name, "", o.job.repeat) for o in whole))
    only = (("light_direction", ("left",)), ("image", ("b*",)))
    plan = build(recipe(), IMAGES, Selection(only, limit=3, picks=picks))
    assert [(o.image.name, o.cell["light_direction"]) for o in outputs(plan)] == [
        ("b.png", "left")
    ] * 3
    assert plan.outputs_count == plan.jobs_count == 3


def test_a_recipe_brings_its_picks_and_the_operators_come_instead() -> None:
    mine = Picks("m", "", (Pick(next(iter(outputs(build(recipe(), IMAGES)))).cell, "a.png"),))
    theirs = replace(mine, entries=(replace(mine.entries[0], image_name="b.png"),))
    with_own = replace(recipe(), picks=theirs)
    assert [o.image.name for o in outputs(build(with_own, IMAGES))] == ["b.png"]
    plan = build(with_own, IMAGES, Selection(picks=mine))
    assert [o.image.name for o in outputs(plan)] == ["a.png"]
