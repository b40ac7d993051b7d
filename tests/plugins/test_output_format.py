from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from relightflow.plugins.output_format import FORMAT_SCHEMA

CHECK = jsonschema.Draft7Validator(dict(FORMAT_SCHEMA))


@pytest.mark.parametrize(
    "asked",
    ["webp", "jpeg", "png", {"type": "webp"}, {"type": "jpeg", "quality": 1}, {"type": "png"}],
)
def test_a_form_is_a_word_or_a_mapping(asked: Any) -> None:
    assert CHECK.is_valid(asked)


@pytest.mark.parametrize(
    "asked",
    [
        "jpg",
        "",
        None,
        {"quality": 80},
        {"type": "webp", "quality": 0},
        {"type": "webp", "quality": 101},
        {"type": "webp", "lossless": True},
        {"type": "png", "quality": 80},
    ],
)
def test_what_cannot_be_made_is_not_allowed(asked: Any) -> None:
    assert not CHECK.is_valid(asked)
