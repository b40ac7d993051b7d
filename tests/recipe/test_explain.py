from __future__ import annotations

from typing import Any

import pytest

from relightflow.recipe.explain import complaints

TEXT_OR_LIST = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


def told(schema: dict[str, Any], data: Any) -> list[str]:
    return [complaint.message for complaint in complaints(data, schema)]


@pytest.mark.parametrize(
    ("schema", "data", "message"),
    [
        (
            TEXT_OR_LIST,
            3,
            "expected text or a list, found the number 3 (in quotes it is text: '3')",
        ),
        (TEXT_OR_LIST, ["a", {}], "expected text, found a mapping"),
        ({"type": ["integer", "null"]}, "x", "expected an integer or nothing, found text 'x'"),
        ({"const": 1}, [1], "a list is not allowed; allowed: 1"),
        ({"enum": ["a", "b"]}, {}, "a mapping is not allowed; allowed: a, b"),
        ({"pattern": "^x$"}, "y", "'y' does not match ^x$"),
        ({"type": "string", "pattern": "^x$", "patternErrorMessage": "is no x"}, 5, "5 is no x"),
        ({"minItems": 2}, [1], "has too few entries; at least 2"),
        ({"maxItems": 1}, [1, 2], "has too many entries; at most 1"),
        ({"maxProperties": 0}, {"a": 1}, "has too many entries; at most 0"),
        ({"uniqueItems": True}, [1, 1], "contains a duplicate value"),
        ({"minLength": 1}, "", "is empty"),
        ({"minLength": 3}, "ab", "is too short; at least 3"),
        ({"maximum": 5}, 6, "6 is too large; at most 5"),
        ({"multipleOf": 8}, 9, "9 is not allowed here"),
        ({"multipleOf": 8, "description": "Eights."}, 9, "9 is not allowed here: Eights."),
        ({"not": {"required": ["a"]}}, {"a": 1}, "a mapping is not allowed here"),
        ({"required": ["b"]}, {"a": 1}, "'b' is missing"),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, "needs one of: a, b"),
        ({"type": "integer"}, 2.0, "expected an integer, found the number 2.0"),
    ],
)
def test_each_rule_has_its_words(schema: dict[str, Any], data: Any, message: str) -> None:
    assert told(schema, data) == [message]


def test_every_missing_field_is_told() -> None:
    assert told({"required": ["a", "b", "c"]}, {"b": 1}) == ["'a' is missing", "'c' is missing"]


def test_the_form_that_fits_best_is_explained() -> None:
    forms = {
        "oneOf": [
            {"type": "object", "required": ["a", "b", "c"]},
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
        ]
    }
    assert told(forms, {"a": "x"}) == ["expected an integer, found text 'x'"]


def test_a_value_that_fits_two_forms_of_one_is_told() -> None:
    assert told({"oneOf": [{"type": "string"}, {"minLength": 0}]}, "x") == [
        "'x' is not allowed here"
    ]
