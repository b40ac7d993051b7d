"""Recipes and images for the plan's tests, built by hand."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.image import Image
from relightflow.model.recipe import Axis, BackendSpec, Limits, Matrix, Recipe
from relightflow.model.values import FrozenMap

MODEL = Model(
    "m",
    (
        Parameter("a", "text", default="a0"),
        Parameter("b", "text", default="b0"),
        Parameter("c", "number", default=1),
        Parameter("d", "text"),
    ),
    Price(10_000, 50_000),
)


def matrix_of(
    axes: dict[str, list[Any]],
    exclude: tuple[dict[str, Any], ...] = (),
    include: tuple[dict[str, Any], ...] = (),
) -> Matrix:
    return Matrix(
        tuple(Axis(name, tuple(values)) for name, values in axes.items()),
        tuple(map(FrozenMap, exclude)),
        tuple(map(FrozenMap, include)),
    )


def recipe_of(matrix: Matrix, max_jobs: int = 10_000, **changes: Any) -> Recipe:
    changes.setdefault("backend", BackendSpec("preview", MODEL, FrozenMap()))
    changes.setdefault("limits", Limits(max_jobs=max_jobs))
    return Recipe("demo", Path("demo.yaml"), "0" * 64, (), matrix=matrix, **changes)


def several_of(axes: dict[str, list[Any]], **changes: Any) -> Recipe:
    """Two backends, which have MODEL by other names and prices: `one`, and `two` with the label `thrift`."""
    dim = replace(MODEL, name="dim", price=Price(5, 10))
    return recipe_of(
        matrix_of({"backend": ["one", "thrift"], **axes}),
        backend=BackendSpec("one", replace(MODEL, price=Price(50, 50)), FrozenMap()),
        more_backends=(BackendSpec("two", dim, FrozenMap(), "thrift"),),
        **changes,
    )


def image_of(name: str, content: str | None = None) -> Image:
    sha256 = hashlib.sha256((content or name).encode(errors="surrogatepass")).hexdigest()
    return Image(name, sha256, 1, 8, 8, "image/png", 0, "")


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """`make.matrix(axes, exclude, include)`, `make.recipe(matrix, …)`, `make.several(axes, …)`,
    `make.image(name, content)`."""
    return SimpleNamespace(matrix=matrix_of, recipe=recipe_of, several=several_of, image=image_of)
