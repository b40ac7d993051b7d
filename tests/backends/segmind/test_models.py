from __future__ import annotations

import subprocess
import sys

import jsonschema
import pytest

from relightflow.backends.segmind import models
from relightflow.backends.segmind.plugin import RECORD
from relightflow.model.catalog import Model
from relightflow.model.values import FrozenMap


def test_the_default_is_segmind_relighting() -> None:
    assert [m.name for m in RECORD.models] == [
        "segmind-relighting",
        "segmind-relighting-v2",
        "ic-light",
    ]


def test_the_defaults_are_the_providers() -> None:
    assert models.MODELS[0].normalise(FrozenMap()) == {
        "light_direction": "top",
        "light_intensity": "medium",
        "light_temperature": "neutral",
        "light_type": "ambient",
    }
    assert models.MODELS[1].normalise(FrozenMap()) == {
        "light_direction": "back",
        "light_intensity": "strong",
        "light_temperature": "warm",
        "light_type": "spotlight",
    }


@pytest.mark.parametrize("model", models.MODELS, ids=lambda m: m.name)
def test_every_default_is_allowed(model: Model) -> None:
    for parameter in model.parameters:
        assert parameter.default is None or parameter.problem(parameter.default) is None


def test_there_is_no_light_from_below() -> None:
    direction = models.MODELS[0].parameter("light_direction")
    assert direction is not None
    assert direction.problem("bottom")


def test_prices_are_known() -> None:
    assert [(m.price.low, m.price.high) for m in models.MODELS if m.price] == [
        (50_000, 50_000),
        (33_000, 333_000),
        (37_000, 37_000),
    ]


def test_the_image_has_its_own_field_in_each_model() -> None:
    assert [row.image_field for row in models.TABLE] == ["image", "image", "subject_image"]
    for row in models.TABLE:
        assert row.model.parameter(row.image_field) is None


@pytest.mark.parametrize("options", [{}, {"api": "v1"}, {"delivery": "inline", "api": "auto"}])
def test_the_schema_takes_what_the_adapter_knows(options: dict[str, str]) -> None:
    jsonschema.Draft7Validator(RECORD.schema).validate(options)


@pytest.mark.parametrize("options", [{"api": "v3"}, {"url": "http://evil"}, {"key": "SG_1"}])
def test_the_schema_refuses_the_rest(options: dict[str, str]) -> None:
    assert not jsonschema.Draft7Validator(RECORD.schema).is_valid(options)


def test_a_recipe_is_checked_without_loading_aiohttp() -> None:
    code = (
        "import sys; import relightflow.backends.segmind.plugin; "
        "print('aiohttp' in sys.modules or 'asyncio' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code]).strip() == b"False"
