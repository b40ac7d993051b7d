from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.cost_estimate import BackendEstimate, CostEstimate, LimitStatus
from relightflow.model.image import Image, Rejected
from relightflow.model.plan import Plan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.recipe import BackendSpec, Recipe
from relightflow.model.spending import SpendLimit
from relightflow.model.summary import Counts, Money, Summary
from relightflow.model.values import FrozenMap


@pytest.fixture
def evil() -> str:
    """A name that would colour a terminal and run backwards."""
    return "a\x1b[31m\u202egpj.png"


def image(name: str, sha256: str) -> Image:
    return Image(name, sha256, 10, 4, 4, "image/png", 0, name)


@pytest.fixture
def plan(evil: str) -> Plan:
    each = Price(50_000, 50_000)
    axis = Parameter("light_direction", "choice", ("left", "right"), "left")
    recipe = Recipe(
        name="spring",
        path=Path("spring.yaml"),
        sha256="0" * 64,
        sources=(),
        backend=BackendSpec("studio", Model("glow", (axis,), each), FrozenMap()),
    )
    return Plan(
        recipe=recipe,
        images=(image("a.png", "a" * 64), image(evil, "b" * 64)),
        rejected=(Rejected("broken.png", "empty", 0),),
        cells=(FrozenMap({"light_direction": "left"}), FrozenMap({"light_direction": "right"})),
        axes=("light_direction",),
        repeat=1,
        limit=None,
        warnings=(),
        outputs_count=4,
        jobs_count=4,
        price=each.times(4),
    )


@pytest.fixture
def several(plan: Plan) -> Plan:
    """The plan of two more backends: a free one, and a second model of the studio with a label."""
    free = BackendSpec("draft", Model("draft", (), Price(0, 0)), FrozenMap())
    dear = BackendSpec("studio", Model("glare", (), Price(60_000, 80_000)), FrozenMap(), "best")
    recipe = replace(plan.recipe, more_backends=(free, dear))
    return replace(plan, recipe=recipe, jobs_of=(1, 1, 2))


@pytest.fixture
def of_several(estimate: CostEstimate) -> CostEstimate:
    share = LimitStatus(SpendLimit(500_000, "backend[2].limits.max_cost"), 100_000)
    backends = (
        BackendEstimate("studio", 1, Price(50_000, 50_000), Price(50_000, 50_000), 50_000),
        BackendEstimate("draft", 0, Price(0, 0), Price(0, 0), 0),
        BackendEstimate("best", 2, Price(120_000, 160_000), Price(60_000, 80_000), 80_000, share),
    )
    return replace(estimate, backends=backends)


@pytest.fixture
def plan_status() -> PlanStatus:
    return PlanStatus(4, 1, 3, 0, 0, 0, Price(150_000, 150_000), 0)


@pytest.fixture
def estimate() -> CostEstimate:
    return CostEstimate(
        3, Price(150_000, 150_000), (LimitStatus(SpendLimit(1_000_000, "--max-cost"), 0),)
    )


@pytest.fixture
def summary() -> Summary:
    return Summary(
        run_id="20260101T000000-abcd",
        recipe="spring",
        backend="studio",
        model="glow",
        counts=Counts(4, 3, 1, 0, 0, 0, 0, 0, 4, 0),
        money=Money(150_000, 0, 0, 1_000_000, "--max-cost"),
        issues=(),
        seconds=12.4,
        manifest="/p/.relightflow/runs/x/manifest.jsonl",
        locations=("/p/out",),
    )
