"""The public interface: every name is there, documented, imported late, and enough for a plugin."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import relightflow
from docs.python_api import EXAMPLES, GROUPS
from relightflow import testing
from relightflow.testing import sample_image_bytes

PAGE = (Path(__file__).parents[1] / "docs/reference/python-api.md").read_text(encoding="utf-8")
RECIPE = """\
version: 1
name: demo
sources: [{type: glob, include: ["*.png"]}]
matrix: {light_direction: [left, right]}
sinks: [{type: directory, path: out/}]
"""


@pytest.mark.parametrize("name", relightflow.__all__)
def test_a_public_name_is_there_and_has_its_entry(name: str) -> None:
    assert getattr(relightflow, name) is not None
    assert f"### `{name}`" in PAGE


@pytest.mark.parametrize("name", testing.__all__)
def test_a_name_for_the_tests_of_plugins_has_its_entry(name: str) -> None:
    assert PAGE.index("`relightflow.testing`") < PAGE.index(f"### `{name}`")
    assert inspect.getdoc(getattr(testing, name))


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="no public name 'Engine'"):
        relightflow.Engine  # noqa: B018


def test_importing_the_package_imports_nothing_of_it() -> None:
    code = (
        "import sys, relightflow; print([m for m in sys.modules if m.startswith('relightflow.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_program_loads_plans_and_runs_with_the_public_names(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(sample_image_bytes())
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    plan = relightflow.plan_recipe(relightflow.load_recipe(tmp_path / "recipe.yaml"))
    assert plan.jobs_count == 2
    summary = asyncio.run(relightflow.run_plan(plan))
    assert (summary.exit, summary.counts.made) == (0, 2)
    assert relightflow.plan_status(plan).done == 2


def test_a_paid_plan_without_a_cap_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(sample_image_bytes())
    (tmp_path / "recipe.yaml").write_text(RECIPE + "backend: {type: segmind}\n")
    plan = relightflow.plan_recipe(relightflow.load_recipe(tmp_path / "recipe.yaml"))
    with pytest.raises(relightflow.UsageError, match="cap"):
        asyncio.run(relightflow.run_plan(plan))


def test_every_public_name_has_its_group() -> None:
    assert sorted(" ".join(GROUPS.values()).split()) == sorted(relightflow.__all__)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_makes_the_thing_that_it_shows(name: str) -> None:
    names = {public: getattr(relightflow, public) for public in relightflow.__all__}
    made = eval(EXAMPLES[name], names)
    thing = getattr(relightflow, name)
    assert isinstance(made, thing if isinstance(thing, type) else int)


def test_no_member_is_without_a_word_on_what_it_is() -> None:
    empty = [line for line in PAGE.splitlines() if line.startswith("| `") and line.endswith("|  |")]
    assert not empty
