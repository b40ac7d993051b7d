from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from relightflow.errors import InvalidRecipe
from relightflow.model.catalog import Price
from relightflow.model.image import Image, Rejected
from relightflow.model.picks import Pick, Picks
from relightflow.model.plan import Selection
from relightflow.model.recipe import Sample
from relightflow.model.values import FrozenMap
from relightflow.plan.build import build, expand
from relightflow.plan.outputs import firsts, outputs


def refusal(make: Any, matrix: Any, images: int = 1, **changes: Any) -> tuple[str, str]:
    with pytest.raises(InvalidRecipe) as caught:
        build(make.recipe(matrix, **changes), [make.image(f"{i}.png") for i in range(images)])
    (problem,) = caught.value.problems
    return problem.path, problem.message


def test_a_plan_says_what_it_holds(make: Any) -> None:
    bad = Rejected("bad.png", "empty", 0)
    recipe = make.recipe(make.matrix({"a": ["x", "y"]}, include=({"a": "z", "d": "w"},)), repeat=2)
    plan = build(recipe, [make.image("1.png"), bad, make.image("2.png")])
    assert [image.name for image in plan.images] == ["1.png", "2.png"]
    assert plan.rejected == (bad,)
    assert plan.axes == ("a", "d")
    assert len(plan.cells) == 3
    assert (plan.outputs_count, plan.jobs_count) == (12, 12)
    assert plan.price == Price(12 * 10_000, 12 * 50_000)


def test_a_limit_counts_outputs(make: Any) -> None:
    recipe = make.recipe(make.matrix({"a": ["x", "y"]}))
    plan = build(recipe, [make.image("1.png")], Selection(limit=1))
    assert (plan.outputs_count, plan.jobs_count, plan.limit) == (1, 1, 1)


def test_no_image_is_an_empty_plan(make: Any) -> None:
    assert build(make.recipe(make.matrix({"a": ["x"]})), []).outputs_count == 0


def test_no_cell_left_is_refused(make: Any) -> None:
    path, message = refusal(make, make.matrix({"a": ["x"]}, exclude=({"a": "x"},)))
    assert path == "matrix"
    assert message.startswith("no cell is left")


def test_too_many_jobs_are_refused_with_the_sum_and_the_way_out(make: Any) -> None:
    path, message = refusal(make, make.matrix({"c": [*range(10)]}), 3, max_jobs=59, repeat=2)
    assert path == "limits.max_jobs"
    assert message == (
        "at least 3 images × 10 cells × repeat 2 = 60 jobs, over the limit of 59; make the matrix "
        "or the sources smaller, use 'sample', or allow it with --set limits.max_jobs=60"
    )


def test_as_many_jobs_as_allowed_are_allowed(make: Any) -> None:
    recipe = make.recipe(make.matrix({"c": [*range(10)]}), max_jobs=30)
    assert build(recipe, [make.image(f"{i}.png") for i in range(3)]).jobs_count == 30


def test_images_beyond_the_limit_are_not_even_looked_at(make: Any) -> None:
    def endless() -> Iterator[Image]:
        number = 0
        while True:
            yield make.image(f"{number}.png")
            number += 1

    with pytest.raises(InvalidRecipe, match="at least 6 images"):
        build(make.recipe(make.matrix({"c": [1, 2]}), max_jobs=10), endless())


@pytest.mark.parametrize("strategy", ["full", "pairwise"])
@pytest.mark.parametrize("exclude", [(), ({"a0": 0, "a5": 7},)])
def test_a_matrix_of_10_to_the_18_is_refused_before_anything_is_built(
    make: Any, strategy: Any, exclude: tuple[dict[str, int], ...]
) -> None:
    matrix = make.matrix({f"a{i}": list(range(1000)) for i in range(6)}, exclude)
    tracemalloc.start()
    path, _ = refusal(make, matrix, sample=Sample(strategy))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path == "limits.max_jobs"
    assert peak < 30_000_000


def test_a_sample_of_a_huge_matrix_is_fine(make: Any) -> None:
    matrix = make.matrix({f"a{i}": list(range(1000)) for i in range(6)})
    assert len(expand(make.recipe(matrix, sample=Sample("random", count=5))).cells) == 5


def test_excludes_that_cannot_be_counted_are_refused(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relightflow.plan.grid.MOST_STEPS", 0)
    matrix = make.matrix({"a": ["x", "y"], "b": ["x", "y"]}, exclude=({"a": "x", "b": "y"},))
    path, message = refusal(make, matrix)
    assert path == "matrix.exclude"
    assert "to be counted" in message


def test_an_include_that_touches_every_cell_is_a_warning_with_its_place(make: Any) -> None:
    recipe = make.recipe(make.matrix({"a": ["x", "y"]}, include=({"d": "w"},)))
    (warning,) = expand(recipe).warnings
    assert warning.startswith("demo.yaml: matrix.include[0]: extends all 2 cells")


def test_the_recipes_own_warnings_come_first(make: Any) -> None:
    recipe = make.recipe(make.matrix({"a": ["x", "y"]}, include=({"d": "w"},)), warnings=("first",))
    assert expand(recipe).warnings[0] == "first"


def test_a_part_holds_the_whole_and_its_places_in_it(make: Any) -> None:
    recipe = make.recipe(make.matrix({"a": ["x", "y", "z"], "b": [1, 2]}), repeat=2)
    images = [make.image(f"{n}.png") for n in range(3)]
    whole = build(recipe, images)
    assert (whole.whole, whole.described) == (None, whole)
    place = {(o.image.name, o.cell, o.job.repeat): o.index for o in outputs(whole)}
    assert sorted(place.values()) == list(range(36))
    for selection in (
        Selection(limit=5),
        Selection((("a", ("z", "x")),)),
        Selection((("image", ("2*", "1*")), ("b", ("2",)))),
        Selection((("image", ("2*",)),), limit=3),
    ):
        part = build(recipe, images, selection)
        assert list(outputs(part.described)) == list(outputs(whole))
        found = list(outputs(part))
        assert len(found) == part.outputs_count > 0
        assert [o.index for o in found] == [
            place[o.image.name, o.cell, o.job.repeat] for o in found
        ]
        assert [o.index for o in firsts(part)] == [o.index for o in found]


def test_the_numbers_of_a_part_take_no_room_of_their_own(make: Any) -> None:
    axes = {name: list(range(30)) for name in "abc"}
    recipe = make.recipe(make.matrix(axes), max_jobs=10**8)
    images = [make.image(f"{n}.png") for n in range(1000)]
    part = build(recipe, images, Selection((("image", ("99*",)),)))
    assert part.numbers is not None
    assert (len(part.numbers), part.numbers[0]) == (11 * 27_000, 99 * 27_000)
    assert list(part.numbers[-2:]) == [999 * 27_000 + 26_998, 999 * 27_000 + 26_999]


def test_picks_of_the_command_line_belong_to_the_whole_of_a_recipe_with_picks(make: Any) -> None:
    recipe = make.recipe(make.matrix({"a": ["x", "y", "z"]}))
    images = [make.image("1.png"), make.image("2.png")]
    mine = Picks("mine", "", (Pick(FrozenMap({"a": "z"}), "1.png", "", 0),))
    more = Picks("more", "", (Pick(FrozenMap({"a": "y"}), "1.png", "", 0),))
    picked = replace(recipe, picks=mine)
    assert [o.cell["a"] for o in outputs(build(picked, images))] == ["z"]
    part = build(picked, images, Selection(picks=more))
    assert [(o.index, o.cell["a"]) for o in outputs(part)] == [(0, "y")]
    assert [(o.index, o.cell["a"]) for o in outputs(part.described)] == [(0, "y"), (1, "z")]
