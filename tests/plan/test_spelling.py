from __future__ import annotations

from typing import Any

import pytest

from relightflow.plan.spelling import spell, text


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (0.5, 5e-1), (0.0, -0.0)])
def test_one_value_in_two_spellings_is_one(one: Any, other: Any) -> None:
    assert spell(one) == spell(other)


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), (1, "1"), (None, "null")])
def test_values_of_different_kinds_are_different(one: Any, other: Any) -> None:
    assert spell(one) != spell(other)


@pytest.mark.parametrize(
    ("value", "words"), [("left", "left"), (True, "true"), (None, "null"), (2.0, "2"), (0.5, "0.5")]
)
def test_a_value_is_written_as_in_a_recipe(value: Any, words: str) -> None:
    assert text(value) == words


def test_nan_has_no_spelling() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        spell(float("nan"))
