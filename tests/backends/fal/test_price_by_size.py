"""A model that is charged by the megapixel: what the plan says is what the run does, within the cap."""

from __future__ import annotations

import io
from pathlib import Path

import PIL.Image
import pytest

from benchmarks.reliability.inside import hurried
from benchmarks.reliability.rehearsal import standing_in
from relightflow import api
from relightflow.errors import Exit
from relightflow.model.catalog import Price
from relightflow.model.plan import Selection
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import load
from relightflow.store.state_dir import StateDir
from tests.backends.queued import Emulate

RECIPE = """\
version: 1
name: lit
sources: [{type: glob, include: ["in/*.jpg"]}]
backend: {type: fal, model: fal-ai/iclight-v2}
matrix: {prompt: [dusk, noon]}
limits: {concurrency: 1}
sinks: [{type: directory, path: out/}]
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name, size in (("small", (800, 600)), ("large", (1600, 1200))):
        out = io.BytesIO()
        PIL.Image.new("RGB", size, "gray").save(out, "JPEG")
        (tmp_path / f"in/{name}.jpg").write_bytes(out.getvalue())
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path / "recipe.yaml"


@pytest.mark.parametrize(
    ("cap", "ends", "bought"),
    [(800_000, Exit.OK, 4), (590_000, Exit.BUDGET, 3), (190_000, Exit.BUDGET, 0)],
)
async def test_each_call_is_reserved_and_settled_at_its_own_price(
    recipe: Path, emulate: Emulate, monkeypatch: pytest.MonkeyPatch,
    cap: int, ends: Exit, bought: int,
) -> None:  # fmt: skip
    emulator = await emulate()
    registry, state = load(found=tuple), StateDir(recipe.parent / ".relightflow")
    with hurried(standing_in("fal", emulator.url, 0)):
        found = api.load(recipe, registry)
        plan = api.plan(found, registry, Selection(), OperatorPolicy(), state)
        options = RunOptions((SpendLimit(cap, "a test"),))
        done = await api.run(plan, registry, state, options, OperatorPolicy())
    each = Price(45_776, 200_000)
    assert plan.recipe.backend.model.price == each
    assert plan.price == each.times(4)
    totals = emulator.bill()["totals"]
    assert done.exit is ends
    assert totals["billed"] == bought
    assert totals["cost"] <= cap / 1_000_000


@pytest.fixture
def mixed(recipe: Path) -> Path:
    """40 calls for a small image, then 40 for one of 24 megapixels, 32 at a time."""
    prompts = ", ".join(f"p{number}" for number in range(40))
    text = RECIPE.replace("[dusk, noon]", f"[{prompts}]")
    recipe.write_text(text.replace("concurrency: 1", "concurrency: 32"))
    out = io.BytesIO()
    PIL.Image.new("RGB", (6000, 4000), "gray").save(out, "JPEG")
    (recipe.parent / "in/z-huge.jpg").write_bytes(out.getvalue())
    (recipe.parent / "in/large.jpg").unlink()
    return recipe


async def test_mixed_sizes_at_32_in_flight_never_pass_the_cap(
    mixed: Path, emulate: Emulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each was reserved at the dearest, 36 of the small ones would be bought, one by one."""
    emulator = await emulate()
    registry, state = load(found=tuple), StateDir(mixed.parent / ".relightflow")
    options = RunOptions((SpendLimit(6_300_000, "a test"),))
    with hurried(standing_in("fal", emulator.url, 0)):
        found = api.load(mixed, registry)
        for bought in (40, 40):
            plan = api.plan(found, registry, Selection(), OperatorPolicy(), state)
            done = await api.run(plan, registry, state, options, OperatorPolicy())
            assert done.exit is Exit.BUDGET
            totals = emulator.bill()["totals"]
            assert totals["billed"] == bought
            assert totals["cost"] <= 6.3
