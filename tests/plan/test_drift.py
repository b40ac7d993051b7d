from dataclasses import replace

import pytest

from relightflow.model.catalog import Price
from relightflow.model.plan_file import PlannedCell, PlannedImage, PlannedLimit, RecipePlan
from relightflow.model.values import FrozenMap
from relightflow.plan.drift import DriftKind, drift, left
from tests.plan.test_file import CELLS, planned

PLAN = planned()
A, B = PLAN.images
OTHER = replace(A, sha256="e" * 64)
NEW = PlannedImage("new.png", "f" * 64, 1)
GREEN = PlannedCell(FrozenMap({"shade": 7}), FrozenMap({"shade": 7, "tone": "x"}))
CAP = PlannedLimit("--max-cost", 4_999_999)


def bought(plan: RecipePlan, number: int) -> RecipePlan:
    counts = replace(plan.counts, new=plan.counts.new - number, in_place=number)
    return replace(plan, counts=counts)


@pytest.mark.parametrize(
    "now",
    [
        PLAN,
        replace(PLAN, recipe_sha256="9" * 64),
        planned(images=(B, A), cells=CELLS[::-1]),
        bought(PLAN, 2),
        bought(replace(PLAN, reserved=90_000), 4),
        replace(PLAN, reserved=10_000, call=Price(1, 1)),
        replace(PLAN, limits=()),
        replace(PLAN, limits=(PlannedLimit("x", 6_000_000),)),
        planned(cells=(replace(CELLS[0], cell=FrozenMap({"shade": 1.0})), CELLS[1])),
    ],
    ids=[
        "nothing", "a comment", "order", "some bought", "all bought and dearer", "cheaper",
        "no cap now", "a higher cap", "1.0 for 1",
    ],
)  # fmt: skip
def test_no_drift(now: RecipePlan) -> None:
    assert drift(PLAN, now) == ()


@pytest.mark.parametrize(
    ("now", "kinds"),
    [
        (planned(images=(OTHER, B)), [DriftKind.IMAGE_CHANGED]),
        (planned(images=(B,)), [DriftKind.IMAGE_MISSING]),
        (planned(images=(A, B, NEW)), [DriftKind.IMAGE_ADDED]),
        (planned(images=(A, replace(B, name="c.png"))), [DriftKind.IMAGE_ADDED, DriftKind.IMAGE_MISSING]),
        (planned(cells=CELLS[:1]), [DriftKind.CELL_MISSING]),
        (planned(cells=(*CELLS, GREEN)), [DriftKind.CELL_ADDED]),
        (planned(cells=(CELLS[0], replace(CELLS[1], parameters=FrozenMap({"shade": 0})))), [DriftKind.CELL_SENT]),
        (planned(repeat=2), [DriftKind.REPEAT]),
        (planned(model="other"), [DriftKind.BACKEND]),
        (planned(backend="other"), [DriftKind.BACKEND]),
        (planned(picked=((0, 1), (1,))), [DriftKind.SELECTION]),
        (replace(PLAN, reserved=60_001), [DriftKind.PRICE]),
        (replace(PLAN, limits=(CAP,)), [DriftKind.CAP]),
        (planned(unknown_jobs=("1" * 16,)), [DriftKind.UNKNOWN]),
    ],
)  # fmt: skip
def test_drift(now: RecipePlan, kinds: list[DriftKind]) -> None:
    assert sorted(one.kind for one in drift(PLAN, now)) == sorted(kinds)


def test_a_cap_where_the_plan_had_none_must_hold_the_whole_plan() -> None:
    free = replace(PLAN, limits=())
    enough = replace(PLAN, limits=(PlannedLimit("--max-cost", 240_000),))
    short = replace(PLAN, limits=(PlannedLimit("--max-cost", 239_999),))
    assert drift(free, enough) == ()
    assert [one.kind for one in drift(free, short)] == [DriftKind.CAP]


def test_a_budget_is_compared_with_the_budget_of_the_same_window() -> None:
    day = replace(PLAN, limits=(*PLAN.limits, PlannedLimit("--budget", 9, 3600.0)))
    assert [one.kind for one in drift(PLAN, day)] == [DriftKind.CAP]


def test_unknown_outcomes_of_the_plan_itself_and_older_ones_are_no_drift() -> None:
    now = planned(unknown_jobs=("1" * 16, "2" * 16))
    then = planned(unknown_jobs=("1" * 16,))
    assert drift(then, now, excused={"2" * 16}) == ()
    assert len(drift(then, now)) == 1


def test_the_operator_may_accept_prices_and_missing_images_and_nothing_else() -> None:
    now = planned(images=(B, NEW))
    found = drift(PLAN, replace(now, reserved=99_000, limits=(CAP,)))
    assert {one.kind for one in left(found, ("price", "missing"))} == {DriftKind.IMAGE_ADDED}


def test_a_missing_image_says_why_it_cannot_be_used() -> None:
    now = planned(images=(B,), rejected=(("a.png", "being written"),))
    assert [one.message for one in drift(PLAN, now)] == ["a.png: being written"]
