from __future__ import annotations

from dataclasses import replace

from relightflow.model.catalog import Price
from relightflow.model.plan_file import PlanFile, PlannedCounts, PlannedRequest, RecipePlan

PLAN = RecipePlan(
    recipe="demo",
    recipe_sha256="0" * 64,
    request=PlannedRequest("demo.yaml"),
    backend="studio",
    model="glow",
    images=(),
    rejected=(),
    axes=(),
    cells=(),
    repeat=1,
    picked=None,
    counts=PlannedCounts(9, 9, 4, 2, 1, 1, 1, 0),
    call=Price(30, 50),
    reserved=70,
)


def test_only_new_jobs_cost_at_most_what_is_reserved_for_each() -> None:
    assert PLAN.price == Price(4 * 30, 4 * 70)


def test_an_unknown_price_stays_unknown() -> None:
    assert replace(PLAN, call=None).price is None


def test_a_plan_is_the_same_under_another_file_name_and_not_with_other_bytes() -> None:
    one = PlanFile((PLAN,), "1" * 64, "a.json")
    assert one == replace(one, file="b.json")
    assert one != replace(one, sha256="2" * 64)
