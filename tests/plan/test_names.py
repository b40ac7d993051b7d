from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.core.filenames import safe_path
from relightflow.errors import InvalidRecipe
from relightflow.model.job import Output
from relightflow.model.plan import Plan, Selection
from relightflow.model.values import FrozenMap
from relightflow.plan.build import build
from relightflow.plan.names import check_names, output_path
from relightflow.plan.outputs import outputs
from relightflow.plan.template import FIELDS


def plan_of(make: Any, axes: dict[str, list[Any]], *names: str, **changes: Any) -> Plan:
    images = [make.image(*name.split("=")) for name in names]
    return build(make.recipe(make.matrix(axes), **changes), images)


def one_output(make: Any, name: str, **values: Any) -> Output:
    return next(outputs(plan_of(make, {axis: [value] for axis, value in values.items()}, name)))


def refused(plan: Plan, template: str | None) -> list[str]:
    with pytest.raises(InvalidRecipe) as caught:
        check_names(plan, [(3, template)])
    assert {problem.path for problem in caught.value.problems} == {"sinks[3].name"}
    return [problem.message for problem in caught.value.problems]


def test_the_default_is_stem_and_short_key(make: Any) -> None:
    output = one_output(make, "photos/cup.jpg", a="x")
    assert output_path(None, output, "demo", "png") == f"cup-{output.job.id}.png"


def test_every_field_has_its_value(make: Any) -> None:
    output = one_output(make, "photos/cup.jpg", a="left", c=1.0)
    template = "{image.name}/{image.stem}_{a}_{c}_{repeat}_{index}_{recipe}_{key}.{ext}"
    expected = f"photos/cup.jpg/cup_left_1_0_0_demo_{output.job.id}.png"
    assert output_path(template, output, "demo", "png") == expected


def test_an_axis_that_is_left_out_has_the_value_that_is_sent(make: Any) -> None:
    assert output_path("{b}.{ext}", one_output(make, "x.png", a="x"), "demo", "png") == "b0.png"


def test_a_value_that_nobody_gives_is_a_dash(make: Any) -> None:
    assert output_path("{d}.{ext}", one_output(make, "x.png", a="x"), "demo", "png") == "_.png"


def test_braces_can_be_written(make: Any) -> None:
    output = one_output(make, "x.png", a="x")
    assert output_path("{{{a}}}", output, "demo", "png") == "{x}"


@pytest.mark.parametrize("value", ["../up", "/abs", "a/b", "C:\\x", ".."])
def test_a_value_never_makes_a_folder(make: Any, value: str) -> None:
    path = output_path("f/{a}.{ext}", one_output(make, "x.png", a=value), "demo", "png")
    assert path.count("/") == 1


def test_the_manifests_own_name_is_left_to_it(make: Any) -> None:
    output = one_output(make, "Manifest.jsonl", a="x")
    assert output_path("{image.name}", output, "demo", "png") == "_Manifest.jsonl"


@given(
    name=st.text(st.characters(), min_size=1, max_size=40),
    value=st.text(st.characters(), max_size=40),
    fields=st.lists(st.sampled_from(["a", *FIELDS, "/", "x"]), min_size=1, max_size=6),
)
def test_whatever_names_and_values_say_the_path_is_safe(
    make: Any, name: str, value: str, fields: list[str]
) -> None:
    template = "".join(field if field in "/x" else f"{{{field}}}" for field in fields)
    job = one_output(make, "x.png").job
    output = Output(0, job, make.image(name), FrozenMap({"a": value}))
    path = output_path(template, output, "demo", "png")
    assert path == safe_path(path)


def test_names_that_differ_are_fine(make: Any) -> None:
    check_names(plan_of(make, {"a": ["x", "y"]}, "1.png", "2.png"), [(0, "{image.stem}{a}.{ext}")])


def test_a_collision_names_both_and_the_field_that_would_help(make: Any) -> None:
    (message,) = refused(plan_of(make, {"a": ["x", "y"]}, "p/1.png"), "{image.stem}.{ext}")
    assert message == (
        "'1.png' is the name of both 'p/1.png' (a 'x', repeat 0) and 'p/1.png' "
        "(a 'y', repeat 0); add {a} to the name: '{image.stem}-{a}.{ext}'"
    )


@pytest.mark.parametrize(
    ("axes", "names", "changes", "template", "better"),
    [
        ({"a": ["x", "y"]}, ["1.png"], {}, "{image.stem}", "{image.stem}-{a}"),
        ({"a": ["x"]}, ["1.png", "2.png"], {}, "{a}.{ext}", "{a}-{image.stem}.{ext}"),
        ({"a": ["x"]}, ["p/1.png", "q/1.png"], {}, "{image.stem}", "{image.folder}/{image.stem}"),
        ({"a": ["x"]}, ["1.png"], {"repeat": 2}, "{image.stem}.jpg", "{image.stem}-{repeat}.jpg"),
        ({"a": ["x?", "x*"]}, ["1.png"], {}, "{a}", "{a}-{key}"),
        ({"a": ["X", "x"]}, ["1.png"], {}, "{image.stem}", "{image.stem}-{key}"),
        (
            {"a": ["x"]},
            ["p/A.png", "p/a.png"],
            {},
            "{image.stem}.{ext}",
            "{image.stem}-{key}.{ext}",
        ),
        ({"a": ["x"]}, ["A.png", "a.png"], {}, "{image.name}", "{image.name}-{key}"),
        ({"a": ["x"]}, ["p/a.jpg", "p/a.png"], {}, "{image.stem}", "{image.name}/{image.stem}"),
        ({"a": ["x", "y"]}, ["p/1.png", "q/1.png"], {}, "x/y.png", "{image.name}/x/y-{a}.png"),
        (
            {"a": ["x", "y"]},
            ["1.png", "2.png"],
            {"repeat": 2},
            "{recipe}.{ext}",
            "{recipe}-{image.stem}-{a}-{repeat}.{ext}",
        ),
    ],
)
def test_the_name_of_a_hint_does_not_collide(
    make: Any,
    axes: dict[str, list[Any]],
    names: list[str],
    changes: dict[str, Any],
    template: str,
    better: str,
) -> None:
    plan = plan_of(make, axes, *names, **changes)
    messages = refused(plan, template)
    assert {message.rpartition(": ")[2] for message in messages} == {f"'{better}'"}
    check_names(plan, [(0, better)])


def test_a_hint_for_a_plan_of_which_a_part_was_selected(make: Any) -> None:
    images = [make.image(name) for name in ("1.png", "2.png")]
    recipe = make.recipe(make.matrix({"a": ["x", "y"]}))
    plan = build(recipe, images, Selection(only=(("image", ("2.png",)),)))
    (message,) = refused(plan, "{image.stem}")
    assert message.endswith("'{image.stem}-{a}'")


def test_the_folder_of_an_image_and_the_backend_are_fields(make: Any) -> None:
    template = "{backend}/{image.folder}/{image.stem}.{ext}"
    nested = one_output(make, "a/b/cup.jpg", a="x")
    assert output_path(template, nested, "demo", "png") == f"{nested.job.backend}/a/b/cup.png"
    top = one_output(make, "cup.jpg", a="x")
    assert output_path(template, top, "demo", "png") == f"{top.job.backend}/cup.png"
    assert output_path("{image.folder}", top, "demo", "png") == "_"


def test_a_parameter_that_is_called_backend_goes_first(make: Any) -> None:
    job = replace(one_output(make, "x.png").job, parameters=FrozenMap({"backend": "mine"}))
    output = Output(0, job, make.image("x.png"), FrozenMap({}))
    assert output_path("{backend}.{ext}", output, "demo", "png") == "mine.png"


@pytest.mark.parametrize("duplicate", [["A", "a"], ["\u00e9", "e\u0301"], ["\u00c9", "e\u0301"]])
def test_case_and_unicode_form_collide(make: Any, duplicate: list[str]) -> None:
    assert refused(plan_of(make, {"a": duplicate}, "1.png"), "{a}.{ext}")


def test_the_same_job_twice_in_one_place_is_no_collision(make: Any) -> None:
    check_names(plan_of(make, {"a": ["x"]}, "p/1.png=same", "q/1.png=same"), [(0, "{image.stem}")])


def test_the_default_is_never_refused(make: Any) -> None:
    check_names(plan_of(make, {"a": ["x", "y"]}, "1.png"), [(0, None)])


def test_only_the_first_collisions_are_listed(make: Any) -> None:
    plan = plan_of(make, {"c": list(range(100))}, "1.png")
    assert len(refused(plan, "x")) == 5


def test_names_from_strangers_are_shown_escaped(make: Any) -> None:
    (message,) = refused(plan_of(make, {"a": ["x", "y"]}, "\x1b[2J.png"), "x")
    assert "\x1b" not in message


def test_a_wrong_template_is_a_problem_of_its_sink(make: Any) -> None:
    (message,) = refused(plan_of(make, {"a": ["x"]}, "1.png"), "{aa}.png")
    assert "did you mean '{a}'?" in message
