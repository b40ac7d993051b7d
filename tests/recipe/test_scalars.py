from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.errors import InvalidRecipe
from relightflow.recipe.reading import read
from relightflow.recipe.scalars import NotAValue, resolve
from relightflow.recipe.tree import value


def loaded(text: str) -> object:
    node, flaws = read(text, str(Path("r.yaml")))
    assert flaws == []
    return value(node)


@pytest.mark.parametrize(
    "text", ["no", "No", "off", "on", "yes", "y", "1:30", "2026-11-23", "0b11"]
)
def test_what_only_yaml_1_1_reads_as_something_else_is_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize("text", ["1_000", "0o8", "0x", "0X1F", "-0x1F", "+", "-", ".", "1e", "e3"])
def test_what_only_looks_like_a_number_is_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("010", 10),
        ("-7", -7),
        ("+7", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-1.5E-2", -0.015),
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("", None),
        ("~", None),
        ("Null", None),
        ("nULL", "nULL"),
        (str(2**63 - 1), 2**63 - 1),
        ("0" * 5000 + "1", 1),
    ],
)
def test_the_core_schema_of_yaml_1_2(text: str, meant: object) -> None:
    found = resolve(text)
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.INF", "+.Inf", "1e400", str(2**63)])
def test_numbers_that_json_cannot_carry_are_refused(text: str) -> None:
    with pytest.raises(NotAValue):
        resolve(text)


def test_a_number_of_a_megabyte_is_refused_at_once() -> None:
    with pytest.raises(NotAValue, match="too large"):
        resolve("9" * 1_000_000)


def test_minus_zero_is_zero() -> None:
    assert math.copysign(1, float(str(resolve("-0.0")))) == 1


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_every_whole_number_comes_back(number: int) -> None:
    assert loaded(f"[{number}, {number:+d}]") == [number, number]


@given(st.integers(0, 2**63 - 1))
def test_octal_and_hexadecimal_come_back(number: int) -> None:
    assert loaded(f"[0o{number:o}, 0x{number:x}, 0x{number:X}]") == [number] * 3


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_comes_back(number: float) -> None:
    assert loaded(f"[{number!r}]") == [number]


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=40))
def test_quoted_text_is_text_whatever_it_looks_like(text: str) -> None:
    assert loaded("['" + text.replace("'", "''") + "']") == [text]


@given(st.text("0123456789+-.exo_:abfnulNUIAtr~", min_size=1, max_size=8))
def test_a_plain_scalar_means_one_thing_or_is_refused(text: str) -> None:
    try:
        node, flaws = read(f"[{text}]", "r.yaml")
    except InvalidRecipe:
        return
    found = value(node)
    assert isinstance(found, list)
    for item in found:
        assert item is None or isinstance(item, str | int | float | bool | dict)
        assert not isinstance(item, float) or math.isfinite(item)
    assert flaws or found != [None] or text in ("~", "null", "Null", "NULL")
