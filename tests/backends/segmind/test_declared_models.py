"""Models that the operator declared: background removal → relighting → upscaling, on the emulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.inside import hurried
from benchmarks.reliability.rehearsal import standing_in
from relightflow import api
from relightflow.backends.emulator.config import Config
from relightflow.backends.emulator.faults.reading import parse as plan_of
from relightflow.backends.emulator.images import tiny
from relightflow.backends.emulator.server import start
from relightflow.errors import Exit
from relightflow.model.catalog import Price
from relightflow.model.plan import Plan, Selection
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.model.summary import Summary
from relightflow.plugins.declared import add, parse
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry, load
from relightflow.store.state_dir import StateDir

CUT = {
    "backend": "segmind", "model": "bg-removal", "image": "image", "price": 0.01,
    "parameters": [{"name": "mode", "type": "choice", "values": ["fast", "fine"], "default": "fast"}],
}  # fmt: skip
UPSCALE = {
    "backend": "segmind", "model": "upscale", "image": "image", "price": [0.02, 0.03],
    "parameters": [{"name": "scale", "type": "integer", "minimum": 2, "maximum": 4, "default": 2}],
}  # fmt: skip
RECIPE = """\
version: 1
name: {name}
sources: [{source}]
backend: {{type: segmind, model: {model}}}
matrix: {matrix}
limits: {{max_cost: 1.00}}
sinks: [{{type: directory, path: "out/{name}/"}}]
"""
STEPS = (
    ("cut", '{type: glob, include: ["in/*.jpg"]}', "bg-removal", "{mode: fine}"),
    ("lit", "{type: manifest, path: out/cut/manifest.jsonl}", "segmind-relighting",
     "{light_direction: [left, right]}"),
    ("large", "{type: manifest, path: out/lit/manifest.jsonl}", "upscale", "{scale: 4}"),
)  # fmt: skip


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    for given in (CUT, UPSCALE):
        found, problems = parse(given)
        assert found, problems
        add(found, tmp_path / "models")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(tiny())
    for name, source, model, matrix in STEPS:
        text = RECIPE.format(name=name, source=source, model=model, matrix=matrix)
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path / "models"


def served(declared: Path) -> Config:
    """An emulator that offers them."""
    return Config(latency=(0.0, 0.0), image="tiny", declared=tuple(declared.glob("*.json")))


def planned(path: Path, registry: Registry) -> Plan:
    recipe = api.load(path, registry)
    state = StateDir(path.parent / ".relightflow")
    return api.plan(recipe, registry, Selection(), OperatorPolicy(), state)


async def made(path: Path, registry: Registry) -> Summary:
    options = RunOptions((SpendLimit(1_000_000, "a test"),))
    state = StateDir(path.parent / ".relightflow")
    return await api.run(planned(path, registry), registry, state, options, OperatorPolicy())


def test_a_declared_model_without_a_price_is_not_offered(declared: Path) -> None:
    """Nothing would hold it: no limit, no doubt, no claim."""
    free, _ = parse({**CUT, "price": 0})
    assert free
    for file in declared.iterdir():
        file.unlink()
    add(free, declared)
    registry = load(found=tuple, declared=declared)
    assert "must be above 0" in " ".join(registry.warnings)
    assert registry.backend("segmind").model(free.model.name) is None


async def test_recipes_chain_over_models_of_the_operator_s_own(
    declared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = load(found=tuple, declared=declared)
    config = served(declared)
    prices: list[Price | None] = []
    async with await start(config) as emulator:
        with hurried(standing_in("segmind", emulator.url, 0)):
            for name, *_ in STEPS:
                path = tmp_path / f"{name}.yaml"
                prices.append(planned(path, registry).price)
                assert (await made(path, registry)).exit is Exit.OK
            for name, *_ in STEPS:
                assert (await made(tmp_path / f"{name}.yaml", registry)).exit is Exit.OK
        rows: list[Any] = emulator.bill()["requests"]
    assert prices == [Price(10_000, 10_000), Price(100_000, 100_000), Price(40_000, 60_000)]
    assert [row["model"] for row in rows] == [
        "bg-removal", "segmind-relighting", "segmind-relighting", "upscale", "upscale",
    ]  # fmt: skip
    assert rows[0]["parameters"] == {"mode": "fine"}
    assert len(list((tmp_path / "out/large").glob("*.jpg"))) == 2


async def test_a_lost_answer_of_a_declared_model_is_found_again(
    declared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = load(found=tuple, declared=declared)
    config = served(declared)
    lost = plan_of("rules: [{at: submit, nth: 1, fault: reset-after-body}]")
    async with await start(config, plan=lost) as emulator:
        with hurried(standing_in("segmind", emulator.url, 0)):
            assert (await made(tmp_path / "cut.yaml", registry)).exit is Exit.OK
        assert emulator.bill()["totals"]["billed"] == 1


def test_a_declared_model_that_is_not_there_is_named_in_the_recipe(
    declared: Path, tmp_path: Path
) -> None:
    assert declared.is_dir()
    with pytest.raises(Exception, match="bg-removal"):
        api.load(tmp_path / "cut.yaml", load(found=tuple))


def test_the_file_of_a_model_is_json(declared: Path) -> None:
    found = json.loads((declared / "segmind--bg-removal.json").read_text())
    assert found["price"] == 0.01
