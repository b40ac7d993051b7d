"""`checks:` of a recipe."""

from __future__ import annotations

import pytest

from relightflow.errors import InvalidRecipe
from relightflow.model.check import CheckSpec
from relightflow.model.values import FrozenMap
from relightflow.plugins.registry import load
from relightflow.recipe import load_text
from relightflow.recipe.checks import default_checks

REGISTRY = load(found=lambda: ())
RECIPE = """version: 1
name: x
sources: [{type: glob, include: ["a.jpg"]}]
sinks: [{type: directory, path: out/}]
"""


def checks(text: str) -> tuple[CheckSpec, ...]:
    return load_text(RECIPE + text, REGISTRY).checks


def test_a_recipe_has_none_unless_it_says_so() -> None:
    assert checks("") == ()


def test_default_are_those_that_need_no_options() -> None:
    found = [spec.type for spec in checks("checks: default")]
    assert found == [spec.type for spec in default_checks(REGISTRY)]
    assert {"direction", "warmer", "same-subject"} <= {*found}
    assert not {"brighter", "golden", "size", "format"} & {*found}


def test_a_name_alone_takes_the_records_severity_and_a_mapping_may_set_it() -> None:
    found = checks("checks: [sharpness, {type: warmer, severity: info, axis: tone}]")
    assert found == (
        CheckSpec("sharpness", "warn", FrozenMap()),
        CheckSpec("warmer", "info", FrozenMap({"axis": "tone"})),
    )


def test_the_command_line_can_set_them() -> None:
    assert (
        load_text(RECIPE, REGISTRY, overrides=["checks=[direction]"]).checks[0].type == "direction"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("checks: [directon]", "checks[0]: unknown check 'directon'"),
        ("checks: [{type: warm}]", "checks[0].type: unknown check 'warm'"),
        ("checks: [{type: size, wdth: 3}]", "checks[0].wdth: unknown field"),
        ("checks: [brighter]", "checks[0]: 'order' is missing"),
        ("checks: [size]", "checks[0]: needs one of: width, height"),
        ("checks: [warmer, warmer]", "checks[1]: 'warmer' is listed twice"),
        ("checks: [{type: warmer, severity: bad}]", "checks[0].severity: 'bad' is not allowed"),
        ("checks: [{type: golden, manifest: ../x}]", "checks[0].manifest: '../x' leads out of"),
        ("checks: defaults", "'defaults' is not allowed; allowed: default"),
        ("checks: []", "checks: is empty"),
        ("checks: [5]", "checks[0]: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        checks(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("recipe.yaml:5:")


def test_annotations_are_taken_and_are_no_options() -> None:
    found = checks("checks: [{type: warmer, description: why, x-team: {a: 1}}]")
    assert found == (CheckSpec("warmer", "fail", FrozenMap()),)
