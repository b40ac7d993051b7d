from __future__ import annotations

from typing import Any

from relightflow.plan.distinct import count_jobs, first_images, repeated_cells
from relightflow.plan.matrix import Cells


def repeated(make: Any, *arguments: Any, **more: Any) -> frozenset[int]:
    recipe = make.recipe(make.matrix({}))
    return repeated_cells(Cells(make.matrix(*arguments, **more)), recipe)


def test_the_first_image_stands_for_its_twins(make: Any) -> None:
    one, duplicate, other = make.image("1", "x"), make.image("2", "x"), make.image("3")
    assert list(first_images([one, duplicate, other]).values()) == [one, other]


def test_cells_of_a_matrix_are_different_jobs(make: Any) -> None:
    assert repeated(make, {"a": ["x", "y"], "b": ["x", "y"]}) == frozenset()


def test_a_value_that_the_model_is_not_told_makes_no_job(make: Any) -> None:
    assert repeated(make, {"a": ["x", "y"], "unknown": [1, 2]}) == {1, 3}


def test_a_default_that_is_written_out_makes_no_job(make: Any) -> None:
    assert repeated(make, {}, include=({"a": "a0"}, {"b": "b0"}, {"c": 1.0}, {"c": 2})) == {1, 2}


def test_a_number_in_two_spellings_is_one_job(make: Any) -> None:
    assert repeated(make, {"c": [1, 1.0]}) == {1}


def test_nothing_wanted_is_no_job(make: Any) -> None:
    assert count_jobs([make.image("1")], 2, frozenset(), 3, 0) == 0
