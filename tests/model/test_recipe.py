from pathlib import Path

from relightflow.model.catalog import FREE, Model
from relightflow.model.recipe import BackendSpec, Position, Recipe
from relightflow.model.values import FrozenMap


def recipe(positions: dict[str, Position]) -> Recipe:
    return Recipe(
        name="r",
        path=Path("r.yaml"),
        sha256="0" * 64,
        sources=(),
        backend=BackendSpec("preview", Model("preview", (), FREE), FrozenMap()),
        positions=FrozenMap(positions),
    )


def test_a_problem_stands_where_its_path_stands() -> None:
    found = recipe({"matrix.exclude[0]": Position("r.yaml", 7, 5)}).problem(
        "matrix.exclude[0]", "no"
    )
    assert str(found) == "r.yaml:7:5: matrix.exclude[0]: no"


def test_a_path_without_a_place_takes_the_nearest_above() -> None:
    found = recipe({"matrix": Position("r.yaml", 3, 1)}).problem("matrix.include[2].light", "no")
    assert str(found) == "r.yaml:3:1: matrix.include[2].light: no"


def test_a_path_without_any_place_names_the_file() -> None:
    assert str(recipe({}).problem("limits.max_jobs", "no")) == "r.yaml: limits.max_jobs: no"


def test_a_problem_of_the_command_line_is_named_once() -> None:
    found = recipe({"limits.rate": Position("--set limits.rate")}).problem("limits.rate", "no")
    assert str(found) == "--set limits.rate: no"


def test_places_do_not_make_two_recipes_different() -> None:
    assert recipe({"matrix": Position("r.yaml", 3, 1)}) == recipe({})
