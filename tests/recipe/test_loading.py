from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relightflow.errors import InvalidRecipe, Problem
from relightflow.model.recipe import Axis, Limits, Position, Rate, Sample
from relightflow.model.spending import Allowance
from relightflow.model.values import FrozenMap
from relightflow.plugins.registry import Registry
from relightflow.recipe import load, load_text

MINIMAL = """\
version: 1
name: example
sources: [{type: glob, include: ["*.jpg"]}]
sinks: [{type: directory, path: out/}]
"""
WHOLE = """\
version: 1
name: example
sources: [{type: glob, include: ["*.jpg"], exclude: ["draft-*"]}]
backend: {type: segmind, model: segmind-relighting, api: v2}
matrix:
  light_direction: [left, right]
  light_type: all
  exclude: [{light_direction: left, light_type: ambient}]
  include: [{light_direction: back}]
sample: {strategy: random, count: 3, seed: 7}
repeat: 2
limits: {concurrency: 3, rate: 50/5m, max_cost: 1.5, budget: 20/7d, max_jobs: 9, fail_fast: true, on_unknown: resubmit}
sinks: [{type: directory, path: out/, name: "{key}.{ext}"}]
"""


def told(text: str | bytes, registry: Registry, *overrides: str) -> list[str]:
    with pytest.raises(InvalidRecipe) as caught:
        load_text(text, registry, overrides=overrides)
    return [str(problem) for problem in caught.value.problems]


def test_every_field_arrives(registry: Registry) -> None:
    recipe = load_text(WHOLE, registry, Path("a/r.yaml"))
    assert recipe.folder == Path("a")
    assert recipe.sha256 == hashlib.sha256(WHOLE.encode()).hexdigest()
    (source,) = recipe.sources
    assert source.options == FrozenMap({"include": ("*.jpg",), "exclude": ("draft-*",)})
    assert (recipe.backend.type, recipe.backend.model.name) == ("segmind", "segmind-relighting")
    assert recipe.backend.options == FrozenMap({"api": "v2"})
    assert recipe.matrix.axes == (
        Axis("light_direction", ("left", "right")),
        Axis("light_type", ("softbox", "sunlight", "spotlight", "ambient")),
    )
    assert recipe.matrix.exclude == (
        FrozenMap({"light_direction": "left", "light_type": "ambient"}),
    )
    assert recipe.matrix.include == (FrozenMap({"light_direction": "back"}),)
    assert recipe.sample == Sample("random", 3, 7)
    assert recipe.repeat == 2
    assert recipe.limits == Limits(
        3, Rate(50, 300.0), 1_500_000, Allowance(20_000_000, 604_800.0), 9, True, "resubmit"
    )
    assert recipe.sinks[0].options == FrozenMap({"path": "out/", "name": "{key}.{ext}"})
    assert hash(recipe)


def test_what_is_left_out_takes_its_default(registry: Registry) -> None:
    recipe = load_text(MINIMAL, registry)
    assert (recipe.backend.type, recipe.limits, recipe.sample) == ("preview", Limits(), Sample())
    assert (recipe.repeat, recipe.matrix.axes) == (1, ())


@pytest.mark.parametrize(
    ("text", "rate"), [("50/1m", (50, 60)), ("2/h", (2, 3600)), ("50/5s", (50, 5))]
)
def test_a_rate_is_calls_in_a_window(
    text: str, rate: tuple[int, float], registry: Registry
) -> None:
    limits = load_text(MINIMAL, registry, overrides=[f"limits.rate={text}"]).limits
    assert limits.rate == Rate(*rate)


def test_a_cap_is_never_understated_nor_blurred_by_binary_fractions(registry: Registry) -> None:
    for text, amount in (("0.1", 100_000), ("5", 5_000_000), ("0.0000001", 1), ("1e-1", 100_000)):
        recipe = load_text(MINIMAL, registry, overrides=[f"limits.max_cost={text}"])
        assert recipe.limits.max_cost == amount


def test_later_rooms_find_the_place_of_a_field(registry: Registry) -> None:
    recipe = load_text(WHOLE, registry)
    assert recipe.positions["matrix"] == Position("recipe.yaml", 5, 1)
    assert recipe.positions["matrix.light_direction[1]"] == Position("recipe.yaml", 6, 27)
    assert recipe.positions["limits.max_jobs"] == Position("recipe.yaml", 12, 69)
    assert recipe.positions["sinks[0].name"] == Position("recipe.yaml", 13, 39)
    assert str(recipe.problem("matrix.include[0].light_direction", "no")).startswith(
        "recipe.yaml:9:13: "
    )


def test_problems_come_in_the_files_order_and_those_of_the_command_line_last(
    registry: Registry,
) -> None:
    text = MINIMAL.replace("example", "No Slug") + "zzz: 1\n"
    assert [line.split(" ")[0] for line in told(text, registry, "repeat=0")] == [
        "recipe.yaml:2:7:",
        "recipe.yaml:5:1:",
        "--set",
    ]


def test_no_more_than_a_hundred_problems_are_told(registry: Registry) -> None:
    lines = told(MINIMAL + "matrix: {light_type: [" + "x, " * 5000 + "]}", registry)
    assert len(lines) == 101
    assert lines[-1].startswith("recipe.yaml: there are more problems")


def test_a_newer_format_is_one_problem_alone(registry: Registry) -> None:
    (line,) = told("version: 9\nnew: true\nname: [x]\n", registry)
    assert "upgrade relightflow" in line


def test_load_names_the_file_as_it_was_given(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    Path("sub/r.yaml").write_text(MINIMAL + "x: 1\n")
    with pytest.raises(InvalidRecipe, match=r"^sub/r\.yaml:5:1: x: "):
        load(Path("sub/r.yaml"), registry)


def test_a_file_name_cannot_speak_to_the_terminal(registry: Registry) -> None:
    with pytest.raises(InvalidRecipe) as caught:
        load_text("", registry, Path("\x1b[2J.yaml"))
    assert str(caught.value) == "\\x1b[2J.yaml: is empty"


def problems(text: str | bytes, registry: Registry, *overrides: str) -> tuple[Problem, ...]:
    """What is wrong; anything but InvalidRecipe is a bug and flies on."""
    try:
        load_text(text, registry, overrides=overrides)
    except InvalidRecipe as error:
        return error.problems or (Problem("", 0, 0, "", "\0 invalid without a problem"),)
    return ()


def all_printable(found: tuple[Problem, ...]) -> bool:
    return all(str(problem).isprintable() for problem in found)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=300))
def test_no_bytes_break_the_loader(data: bytes, registry: Registry) -> None:
    assert all_printable(problems(data, registry))


_BITS = [
    "{",
    "}",
    "[",
    "]",
    ":",
    "-",
    ",",
    "?",
    "%",
    "#",
    "&",
    "*",
    "!",
    "&a",
    "*a",
    "!!x",
    "~",
    "'",
    '"',
    "|",
    ">",
    "<<",
    "---",
    "...",
    "all",
    "1",
    ".inf",
    "-1e9",
    "true",
    "{}",
    "[]",
    "matrix:",
    "type:",
    "include:",
    "exclude:",
    "light_type:",
    "version:",
    "sample",
    "é",
]


_BIT = st.builds("{}{}".format, st.sampled_from(_BITS), st.sampled_from(["", " ", "\n", "\n  "]))


@settings(deadline=None, max_examples=300)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 20), _BIT), min_size=1, max_size=6
    )
)
def test_no_edit_of_a_recipe_breaks_the_loader(
    edits: list[tuple[int, int, str]], registry: Registry
) -> None:
    text = WHOLE
    for at, gone, new in edits:
        text = text[:at] + new + text[at + gone :]
    assert all_printable(problems(text, registry))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ablt:-", max_size=4) | st.just("all"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "include", "light_type", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
_PATHS = [
    "name",
    "sources",
    "sources[0]",
    "sources[0].include",
    "sources[0].type",
    "backend",
    "backend.type",
    "backend.model",
    "matrix",
    "matrix.light_type",
    "matrix.exclude",
    "matrix.include",
    "matrix.include[0].light_direction",
    "sample",
    "sample.count",
    "repeat",
    "limits",
    "limits.rate",
    "limits.max_cost",
    "sinks",
    "sinks[0].path",
    "x.y[0]",
]


@settings(deadline=None, max_examples=300)
@given(path=st.sampled_from(_PATHS), value=_VALUES)
def test_no_value_anywhere_breaks_the_loader(path: str, value: object, registry: Registry) -> None:
    found = problems(WHOLE, registry, f"{path}={json.dumps(value)}")
    assert all_printable(found)
    assert all(problem.line or problem.file.startswith("--set ") for problem in found)
