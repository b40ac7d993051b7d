from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.catalog import Price
from relightflow.model.job import Job
from relightflow.model.plan import Plan, Selection
from relightflow.plan import outputs as drawing
from relightflow.plan.build import build
from relightflow.plan.keys import job_key
from relightflow.plan.outputs import HELD, firsts, jobs, outputs


def test_order_is_image_then_cell_then_repeat(make: Any) -> None:
    recipe = make.recipe(make.matrix({"a": ["x", "y"]}), repeat=2)
    plan = build(recipe, [make.image("1.png"), make.image("2.png")])
    seen = [(o.index, o.image.name, o.cell["a"], o.job.repeat) for o in outputs(plan)]
    assert seen == [
        (0, "1.png", "x", 0),
        (1, "1.png", "x", 1),
        (2, "1.png", "y", 0),
        (3, "1.png", "y", 1),
        (4, "2.png", "x", 0),
        (5, "2.png", "x", 1),
        (6, "2.png", "y", 0),
        (7, "2.png", "y", 1),
    ]


def test_the_same_bytes_under_two_names_are_one_job_delivered_twice(make: Any) -> None:
    one, duplicate = make.image("1.png", "same"), make.image("2.png", "same")
    made = list(outputs(build(make.recipe(make.matrix({"a": ["x"]})), [one, duplicate])))
    assert made[0].job == made[1].job
    assert [o.image.name for o in made] == ["1.png", "2.png"]


def test_a_job_asks_for_normalised_parameters(make: Any) -> None:
    recipe = make.recipe(make.matrix({"b": ["y"], "unknown": ["z"]}))
    (made,) = outputs(build(recipe, [make.image("1.png")]))
    assert dict(made.job.parameters) == {"a": "a0", "b": "y", "c": 1}
    assert dict(made.cell) == {"b": "y", "unknown": "z"}
    assert made.job.key == job_key("preview", "m", made.image.sha256, made.job.parameters, 0)


def test_cells_too_many_to_hold_give_the_same_outputs(make: Any) -> None:
    recipe = make.recipe(make.matrix({"c": list(range(HELD + 1))}), max_jobs=10**6)
    plan = build(recipe, [make.image("1.png"), make.image("2.png")])
    numbers = [o.cell["c"] for o in outputs(plan)]
    assert numbers == [*range(HELD + 1)] * 2


def first_of_each(plan: Plan) -> Iterator[Job]:
    seen = set()
    for output in outputs(plan):
        if output.job.key not in seen:
            seen.add(output.job.key)
            yield output.job


@given(
    contents=st.lists(st.sampled_from("pqr"), max_size=5),
    values=st.lists(st.sampled_from(["a0", "x", "y"]), min_size=1, unique=True),
    dropped=st.integers(1, 3),
    included=st.lists(
        st.dictionaries(st.sampled_from("ab"), st.sampled_from(["a0", "b0", "x"]), min_size=1),
        max_size=3,
    ),
    repeat=st.integers(1, 3),
    limit=st.none() | st.integers(0, 40),
)
def test_jobs_are_the_distinct_jobs_of_the_outputs_and_counted_exactly(
    make: Any,
    contents: list[str],
    values: list[str],
    dropped: int,
    included: list[dict[str, str]],
    repeat: int,
    limit: int | None,
) -> None:
    matrix = make.matrix({"a": values, "unknown": list(range(dropped))}, include=tuple(included))
    images = [make.image(f"{i}.png", content) for i, content in enumerate(contents)]
    plan = build(make.recipe(matrix, repeat=repeat), images, Selection(limit=limit))
    distinct = list(first_of_each(plan))
    assert list(jobs(plan)) == distinct
    assert plan.jobs_count == len(distinct)
    assert plan.outputs_count == len(list(outputs(plan)))


def test_the_first_output_of_a_job_bears_its_place_in_the_whole_plan(make: Any) -> None:
    found = [make.image("1.png", "one"), make.image("2.png", "one"), make.image("3.png", "three")]
    plan = build(make.recipe(make.matrix({"a": ["x", "y"]}), repeat=2), found)
    places = {output.index: output for output in outputs(plan)}
    firsts_of_plan = list(firsts(plan))
    assert [output.index for output in firsts_of_plan] == [0, 1, 2, 3, 8, 9, 10, 11]
    assert all(places[first.index] == first for first in firsts_of_plan)


def test_a_job_of_several_backends_has_the_key_that_it_has_alone(make: Any) -> None:
    several = make.several({"a": ["x", "y"]}, repeat=2)
    images = [make.image("1.png"), make.image("2.png")]
    plan = build(several, images)
    made = list(outputs(plan))
    cells = [tuple(output.cell.values()) for output in made[:8:2]]
    assert cells == [("one", "x"), ("one", "y"), ("thrift", "x"), ("thrift", "y")]
    for spec in several.backends:
        alone = make.recipe(make.matrix({"a": ["x", "y"]}), repeat=2, backend=spec)
        mine = [output.job for output in made if output.job.backend == spec.type]
        assert [job.key for job in mine] == [o.job.key for o in outputs(build(alone, images))]
        assert all(job.model == spec.model.name and "backend" not in job.parameters for job in mine)
    assert [output.index for output in made] == list(range(16))


def test_the_jobs_of_each_backend_are_counted_and_priced_as_they_are_drawn(make: Any) -> None:
    images = [make.image("1.png", "same"), make.image("2.png", "same"), make.image("3.png")]
    several = make.several({"a": ["x", "y", "a0"], "unknown": [1, 2]}, repeat=2)
    for limit in (None, *range(1, 40, 3)):
        plan = build(several, images, Selection(limit=limit))
        drawn = [job.backend for job in jobs(plan)]
        counts = drawn.count("one"), drawn.count("two")
        assert (plan.jobs_of, plan.jobs_count) == (counts, sum(counts))
        assert plan.price == Price(50 * counts[0] + 5 * counts[1], 50 * counts[0] + 10 * counts[1])


def test_a_part_of_several_backends_keeps_its_places(make: Any) -> None:
    images = [make.image("1.png"), make.image("2.png")]
    several = make.several({"a": ["x", "y"]})
    part = build(several, images, Selection(only=(("backend", ("thrift",)),)))
    assert [output.index for output in outputs(part)] == [2, 3, 6, 7]
    assert part.jobs_of == (0, 4)


def test_the_outputs_of_a_plan_are_drawn_once(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = make.recipe(make.matrix({"a": ["x", "y"]}), repeat=2)
    plan = build(recipe, [make.image("1.png"), make.image("2.png", "other")])
    made = list(outputs(plan))
    assert all(one is again for one, again in zip(made, outputs(plan), strict=True))
    assert all(one is again for one, again in zip(made, firsts(plan), strict=True))
    half = list(outputs(replace(plan, limit=4, outputs_count=4, jobs_count=4)))
    assert [output.index for output in half] == [0, 1, 2, 3], "another plan has outputs of its own"
    monkeypatch.setattr(drawing, "_MOST_KEPT", 3)
    again = list(outputs(plan))
    assert again == made
    assert again[0] is not made[0], "too many are drawn anew"


def test_a_walk_that_is_left_early_keeps_nothing(make: Any) -> None:
    plan = build(make.recipe(make.matrix({"a": ["x", "y"]})), [make.image("1.png")])
    next(outputs(plan))
    assert [output.cell["a"] for output in outputs(plan)] == ["x", "y"]
