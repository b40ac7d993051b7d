from __future__ import annotations

import pytest

from relightflow.model.catalog import FREE, MegapixelPrice, Model, Parameter, Price
from relightflow.model.values import FrozenMap, Scalar

CHOICE = Parameter("light", values=("left", 1, True))
SIZE = Parameter("size", "integer", minimum=256, maximum=1024, step=64)
TENTH = Parameter("strength", "number", minimum=0, maximum=1, step=0.1)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (CHOICE, "left"),
        (CHOICE, 1),
        (CHOICE, True),
        (SIZE, 256),
        (SIZE, 320),
        (SIZE, 1024),
        (TENTH, 1),
        *((TENTH, tenth / 10) for tenth in range(11)),
        (Parameter("seed", "integer"), 10**400),
        (Parameter("prompt", "text"), ""),
    ],
)
def test_allowed_values_have_no_problem(parameter: Parameter, value: Scalar) -> None:
    assert parameter.problem(value) is None


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (CHOICE, "Left"),
        (CHOICE, 1.0),
        (CHOICE, None),
        (SIZE, 255),
        (SIZE, 257),
        (SIZE, 1025),
        (SIZE, 256.0),
        (SIZE, True),
        (SIZE, "256"),
        (SIZE, None),
        (SIZE, 10**400),
        (SIZE, -(10**400)),
        (TENTH, 0.25),
        (TENTH, 1.1),
        (TENTH, 10**400),
        (TENTH, float("nan")),
        (TENTH, float("inf")),
        (Parameter("prompt", "text"), 3),
        (Parameter("seed", "integer"), True),
        (Parameter("gain", "number"), False),
    ],
)
def test_every_other_value_is_told_what_would_be_allowed(
    parameter: Parameter, value: Scalar
) -> None:
    assert parameter.problem(value) == f"is not allowed; allowed: {parameter.range_text()}"


def test_steps_count_from_the_minimum() -> None:
    odd = Parameter("n", "integer", minimum=1, step=2)
    assert odd.problem(3) is None
    assert odd.problem(2) is not None


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (CHOICE, "left, 1, True"),
        (SIZE, "an integer from 256 to 1024 in steps of 64"),
        (TENTH, "a number from 0 to 1 in steps of 0.1"),
        (Parameter("seed", "integer"), "an integer"),
        (Parameter("gain", "number", maximum=2), "a number to 2"),
        (Parameter("prompt", "text"), "text"),
    ],
)
def test_a_range_is_told_in_words(parameter: Parameter, words: str) -> None:
    assert parameter.range_text() == words


def test_a_price_that_may_cost_something_is_not_free() -> None:
    assert FREE.free
    assert not Price(0, 1).free
    assert Price(2, 5).times(3) == Price(6, 15)


def test_a_cell_is_sent_in_the_models_order_with_its_defaults_and_nothing_unknown() -> None:
    model = Model(
        "m",
        (Parameter("b", default="x"), Parameter("a"), Parameter("c", "text"), Parameter("zero")),
        FREE,
    )
    sent = model.normalise(FrozenMap({"a": 1, "other": 2, "zero": 0}))
    assert list(sent.items()) == [("b", "x"), ("a", 1), ("zero", 0)]
    assert model.parameter("a") is model.parameters[1]
    assert model.parameter("other") is None


def test_a_price_by_size_covers_either_way_of_counting_megapixels() -> None:
    by_size = MegapixelPrice(Price(100_000, 100_000), "size", (("square", 512 * 512),))
    assert by_size.call(1_500_000) == Price(143_051, 200_000)
    assert by_size.call(1_500_000, "square") == Price(25_000, 200_000), "input or result may count"
    assert by_size.call(100, "square").high == 100_000, "a begun megapixel may be a whole one"


def test_a_choice_of_another_models_is_the_default() -> None:
    model = Model("lamp", (Parameter("kind", values=("soft", "hard"), default="hard"),), None)
    assert model.normalise(FrozenMap({"kind": "midday"})) == {"kind": "hard"}
