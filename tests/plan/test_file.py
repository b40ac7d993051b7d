import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from benchmarks import plan_file as benchmark
from relightflow.errors import InvalidRecipe
from relightflow.model.catalog import Price
from relightflow.model.plan_file import (
    PlannedBackend,
    PlannedCell,
    PlannedCounts,
    PlannedImage,
    PlannedLimit,
    PlannedRequest,
    RecipePlan,
)
from relightflow.model.values import FrozenMap
from relightflow.plan import file as plan_file
from relightflow.plan.job_set import job_set, outputs_count
from relightflow.recipe.published import published

CELLS = (
    PlannedCell(FrozenMap({"shade": 1}), FrozenMap({"shade": 1, "tone": "x"})),
    PlannedCell(FrozenMap({"shade": 2.5}), FrozenMap({"shade": 2.5, "tone": "x"})),
)


def planned(**changes: Any) -> RecipePlan:
    """Two images × two cells, all new, with counts and digest that fit."""
    plan = RecipePlan(
        recipe="spring",
        recipe_sha256="0" * 64,
        request=PlannedRequest(
            "recipes/spring.yaml", ("repeat=1",), "", (("shade", ("1", "2.5")),)
        ),
        backend="studio",
        model="glow",
        images=(PlannedImage("a.png", "a" * 64, 10), PlannedImage("b\u202e.png", "b" * 64, 20)),
        rejected=(("c.png", "empty"),),
        axes=("shade",),
        cells=CELLS,
        repeat=1,
        picked=None,
        counts=PlannedCounts(0, 0, 0, 0, 0, 0, 0, 0),
        call=Price(40_000, 50_000),
        reserved=60_000,
        limits=(PlannedLimit("--max-cost", 5_000_000), PlannedLimit("--budget", 10, 3600.0)),
    )
    plan = replace(plan, **changes)
    jobs = job_set(plan)
    unknown = len(plan.unknown_jobs)
    counts = PlannedCounts(outputs_count(plan), len(jobs), len(jobs) - unknown, 0, 0, 0, unknown, 0)
    return replace(plan, counts=counts, jobs_digest=jobs.digest)


PLANS = {
    "all": planned(),
    "picked": planned(
        picked=((0,), (0, 1)), request=PlannedRequest("spring.yaml", picks_sha256="c" * 64)
    ),
    "limited": planned(request=PlannedRequest("spring.yaml", limit=3)),
    "repeated": planned(repeat=3),
    "unknown": planned(unknown_jobs=("0123456789abcdef",)),
    "unpriced": planned(call=None),
    "several": planned(
        backend="",
        model="",
        call=None,
        reserved=60_000,
        cells=(
            PlannedCell(FrozenMap({"backend": "one"}), FrozenMap({"shade": 1})),
            PlannedCell(FrozenMap({"backend": "thrift"}), FrozenMap({"shade": 1})),
        ),
        axes=("backend",),
        backends=(
            PlannedBackend("one", "studio", "glow", 2, Price(40_000, 50_000), 55_000),
            PlannedBackend("thrift", "atelier", "dim", 2, None, 60_000),
        ),
    ),
    "empty": planned(images=(), limits=()),
}


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_what_is_written_is_read_and_fits_the_published_schema(plan: RecipePlan) -> None:
    data = plan_file.encode((plan,))
    assert plan_file.decode(data, "plan.json").plans == (plan,)
    jsonschema.Draft7Validator(published("plan")).validate(json.loads(data))


def test_the_same_plan_gives_the_same_bytes_with_sorted_keys() -> None:
    data = plan_file.encode((planned(), planned(repeat=2)))
    assert data == plan_file.encode((planned(), planned(repeat=2)))
    found = json.loads(data)
    spelled = json.dumps(found, sort_keys=True, separators=(",", ":"))
    assert data.decode("ascii").replace("\n", "") == spelled
    assert '\n{"name":"a.png",' in data.decode("ascii"), "an image a line, for diffs"


def test_the_file_names_no_machine_and_no_time() -> None:
    text = plan_file.encode((planned(),)).decode()
    assert str(Path.home()) not in text
    assert os.uname().nodename not in text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kind", "picks"),
        ("version", 2),
        ("version", True),
        ("surprise", 1),
        ("plans", []),
        ("plans", {}),
        ("plans.0", 7),
        ("plans.0.surprise", 1),
        ("plans.0.recipe.path", "/etc/passwd"),
        ("plans.0.recipe.path", "../other/spring.yaml"),
        ("plans.0.recipe.path", "a/../../b.yaml"),
        ("plans.0.recipe.path", "a\\b.yaml"),
        ("plans.0.recipe.path", "a\0.yaml"),
        ("plans.0.recipe.path", ""),
        ("plans.0.recipe.sha256", "A" * 64),
        ("plans.0.images.0.sha256", "a"),
        ("plans.0.images.0.size", -1),
        ("plans.0.images.0.size", True),
        ("plans.0.images.0.name", ["a"]),
        ("plans.0.images.0.name", "a" * 5000),
        ("plans.0.cells.0.cell", {"shade": None}),
        ("plans.0.cells.0.cell", {"shade": [1]}),
        ("plans.0.repeat", 0),
        ("plans.0.repeat", 10**7),
        ("plans.0.reserved_usd", -1),
        ("plans.0.limits.0.usd", "5"),
        ("plans.0.selection.limit", 0),
        ("plans.0.selection.only", {"shade": "1"}),
        ("plans.0.overrides", [1]),
        ("plans.0.picked", "all"),
        ("plans.0.counts.new", 1.5),
    ],
)
def test_a_wrong_field_is_refused_by_reader_and_schema_alike(path: str, value: Any) -> None:
    found = json.loads(plan_file.encode((planned(),)))
    *steps, last = path.split(".")
    at: Any = found
    for step in steps:
        at = at[int(step) if step.isdecimal() else step]
    at[int(last) if last.isdecimal() else last] = value
    with pytest.raises(InvalidRecipe):
        plan_file.decode(json.dumps(found).encode(), "plan.json")
    assert not jsonschema.Draft7Validator(published("plan")).is_valid(found)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("images.0.sha256", "d" * 64),
        ("cells.1.parameters", {"shade": 3}),
        ("model", "other"),
        ("repeat", 2),
        ("jobs_digest", "0" * 64),
        ("counts.jobs", 5),
        ("counts.new", 3),
        ("price_usd", {"low": 0.0, "high": 0.01}),
        ("price_list.call_usd", {"low": 0.0, "high": 0.01}),
        ("reserved_usd", 0.01),
        ("picked", [[0], [7]]),
        ("picked", [[0]]),
        ("picked", [[1, 0], []]),
        ("unknown_jobs", ["0123456789abcdef"]),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(path: str, value: Any) -> None:
    found = json.loads(plan_file.encode((planned(),)))
    *steps, last = path.split(".")
    at: Any = found["plans"][0]
    for step in steps:
        at = at[int(step) if step.isdecimal() else step]
    at[last] = value
    with pytest.raises(InvalidRecipe) as refused:
        plan_file.decode(json.dumps(found).encode(), "plan.json")
    assert refused.value.problems[0].path.startswith("plans[0]")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe{}",
        b"[" * 200_000,
        b'{"kind":"plan-file","kind":"plan-file","plans":[],"version":1}',
        b'{"kind":"plan-file","plans":[{"repeat":NaN}],"version":1}',
        b'{"kind":"plan-file","version":1,"plans":' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_plan_file_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(InvalidRecipe, match=r"^plan\.json: "):
        plan_file.decode(data, "plan.json")


def test_a_small_file_cannot_ask_for_much_memory() -> None:
    found = json.loads(plan_file.encode((planned(),)))
    found["plans"][0]["repeat"] = 1_000_000
    found["plans"][0]["cells"] *= 100
    with pytest.raises(InvalidRecipe, match="cells and repeats per image"):
        plan_file.decode(json.dumps(found).encode(), "plan.json")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.json")
    with pytest.raises(InvalidRecipe, match="not a regular file"):
        plan_file.read(tmp_path / "plan.json")


def test_a_large_plan_stays_small() -> None:
    size, _, _ = benchmark.measured()
    assert size <= benchmark.MOST_BYTES


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda plan: plan["backends"].append(plan["backends"][0]), "backends"),
        (lambda plan: plan["backends"].clear(), "backends"),
        (lambda plan: plan["backends"][0].update(label="thrift"), "backends"),
        (lambda plan: plan["backends"][0].update(new=7), "backends"),
        (lambda plan: plan["backends"][0].update(backend="other"), "price_list.sha256"),
        (lambda plan: plan["cells"][0]["cell"].update(backend="third"), "cells"),
        (lambda plan: plan.update(backend="studio"), "backend"),
    ],
)
def test_several_backends_that_contradict_the_plan_are_refused(change: Any, where: str) -> None:
    document = json.loads(plan_file.encode((PLANS["several"],)))
    change(document["plans"][0])
    with pytest.raises(InvalidRecipe) as caught:
        plan_file.decode(json.dumps(document).encode(), "plan.json")
    assert where in str(caught.value)
