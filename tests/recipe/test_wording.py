from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from relightflow.recipe.wording import (
    COMPARED,
    MOST,
    describe,
    listed,
    nearest,
    printable,
    quote,
    step,
)


def test_text_stands_in_quotes_and_other_values_as_yaml_spells_them() -> None:
    assert [quote(v) for v in ("a", 1, 1.5, True, None)] == ["'a'", "1", "1.5", "true", "nothing"]


@pytest.mark.parametrize("sign", ["\x1b", "\n", "\0", "\u202e", "\x9b", "\ud800", "\u2028"])
def test_no_sign_that_does_not_print_gets_into_a_message(sign: str) -> None:
    for told in (printable(sign), quote(sign), describe(sign), step("", sign), listed([sign])):
        assert told.isprintable()


def test_a_long_value_is_cut() -> None:
    assert len(quote("x" * 1000)) == 62


def test_a_long_list_is_cut() -> None:
    assert listed(range(100)).endswith("23 and 76 more")


def test_a_step_that_is_no_plain_name_stands_in_brackets() -> None:
    assert step(step(step("", "matrix"), "a b"), 0) == "matrix['a b'][0]"


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("bottom", " (did you mean 'top'?)"),
        ("LEFT", " (did you mean 'left'?)"),
        ("xyz", ""),
        (7, ""),
        ("1", " (write it without quotes: 1)"),
        (0, " (write it in quotes: '0')"),
        ("x" * 1000, ""),
    ],
)
def test_the_nearest_allowed_value_is_offered(wrong: object, hint: str) -> None:
    assert nearest(wrong, ["left", "right", "top", "back", 1, "0"]) == hint


def test_a_wrong_value_is_compared_with_a_bounded_number_of_allowed_ones() -> None:
    looked: list[int] = []

    class Values(Sequence[str]):
        def __len__(self) -> int:
            return 100_000

        def __getitem__(self, index: Any) -> Any:
            if isinstance(index, slice):
                return [self[n] for n in range(*index.indices(len(self)))]
            looked.append(index)
            return f"value{index}"

    assert nearest("value12x", Values()) == " (did you mean 'value12'?)"
    assert len(looked) <= COMPARED
    assert listed(Values()).endswith(" and 99976 more")
    assert len(looked) <= COMPARED + MOST + 1
