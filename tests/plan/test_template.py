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
        ("{image}.png", "unknown field '{image}'"),
        ("{image.stem.upper}.png", "unknown field '{image.stem.upper}'"),
        ("{key.__class__}", "unknown field '{key.__class__}'"),
        ("{image[stem]}", "unknown field '{image[stem]}'"),
        ("{0}", "unknown field '{0}'"),
        ("{}", "unknown field '{}'"),
        ("{key!r}", "does not support a format or conversion"),
        ("{key:>10}", "does not support a format or conversion"),
        ("{key:{ext}}", "does not support a format or conversion"),
        ("{key", "unmatched brace"),
        ("key}", "unmatched brace"),
        ("/abs/{key}", "is absolute"),
        ("a/../{key}", "stay in the sink's folder"),
        ("./{key}", "stay in the sink's folder"),
        ("", "has no file name"),
        ("{key}/", "has no file name"),
        ("a//{key}", "has no file name"),
        ("a:{key}", "':' is not allowed in a file name"),
        ("a\\{key}", "is not allowed in a file name"),
        ("a\x1b{key}", "'\\x1b' is not allowed in a file name"),
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
