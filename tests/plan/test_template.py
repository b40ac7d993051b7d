from __future__ import annotations

import pytest

from relightflow.plan.template import DEFAULT, FIELDS, one_place_a_job, template_problems

AXES = ("light_direction", "light_type")


@pytest.mark.parametrize("field", [*AXES, *FIELDS])
def test_every_axis_and_field_may_be_used(field: str) -> None:
    assert template_problems(f"x-{{{field}}}.{{ext}}", AXES) == []


@pytest.mark.parametrize("template", ["a{{b}}.{ext}", "{image.name}/{key}", "..a/b..", DEFAULT])
def test_right(template: str) -> None:
    assert template_problems(template, AXES) == []


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{light_direktion}.png", "did you mean '{light_direction}'?"),
        ("{image}.png", "there is no field '{image}'"),
        ("{image.stem.upper}.png", "there is no field '{image.stem.upper}'"),
        ("{key.__class__}", "there is no field '{key.__class__}'"),
        ("{image[stem]}", "there is no field '{image[stem]}'"),
        ("{0}", "there is no field '{0}'"),
        ("{}", "there is no field '{}'"),
        ("{key!r}", "takes no format and no conversion"),
        ("{key:>10}", "takes no format and no conversion"),
        ("{key:{ext}}", "takes no format and no conversion"),
        ("{key", "a brace has no partner"),
        ("key}", "a brace has no partner"),
        ("/abs/{key}", "is absolute"),
        ("a/../{key}", "stay in the sink's folder"),
        ("./{key}", "stay in the sink's folder"),
        ("", "names no file"),
        ("{key}/", "names no file"),
        ("a//{key}", "names no file"),
        ("a:{key}", "':' cannot stand in a file name"),
        ("a\\{key}", "cannot stand in a file name"),
        ("a\x1b{key}", "'\\x1b' cannot stand in a file name"),
    ],
)
def test_wrong(template: str, words: str) -> None:
    (problem,) = template_problems(template, AXES)
    assert words in problem


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(template_problems("/{nope}:{never}", AXES)) == 4


@pytest.mark.parametrize("template", [DEFAULT, "{light_type}/{light_direction}{key}.{ext}"])
def test_a_key_at_the_end_keeps_jobs_apart(template: str) -> None:
    assert one_place_a_job(template)


@pytest.mark.parametrize(
    "template", ["{key}/{image.stem}.{ext}", "{key}{light_type}.{ext}", "{index}", "x"]
)
def test_anything_else_must_be_looked_at(template: str) -> None:
    assert not one_place_a_job(template)
