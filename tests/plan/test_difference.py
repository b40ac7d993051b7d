from dataclasses import replace
from typing import Any

from relightflow.model.plan_file import PlannedCell, PlannedImage, RecipePlan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.values import FrozenMap
from relightflow.plan.difference import Change, PlanDifference, difference, jobs_added
from tests.plan.test_file import CELLS, planned

PLAN = planned()
A, B = PLAN.images
GREEN = PlannedCell(FrozenMap({"shade": 7}), FrozenMap({"shade": 7, "tone": "x"}))


def compared(now: RecipePlan, before: RecipePlan | None, **standing: Any) -> PlanDifference:
    jobs = len(jobs_added(now, before))
    status = PlanStatus(jobs, 0, jobs, 0, 0, 0, None, 0)
    return difference(now, before, replace(status, **standing))


def counts(found: PlanDifference) -> tuple[int, int, int]:
    return found.added, found.removed, found.kept


def test_nothing_changed() -> None:
    found = compared(PLAN, PLAN)
    assert (counts(found), found.any, found.images, found.values) == ((0, 0, 4), False, (), ())


def test_a_value_more() -> None:
    found = compared(planned(cells=(*CELLS, GREEN)), PLAN)
    assert counts(found) == (2, 0, 4)
    assert found.values == (Change("shade=7", 2, 0),)
    assert found.images == (Change(A.name, 1, 0), Change(B.name, 1, 0))
    assert found.price is not None
    assert (found.price.low, found.price.high) == (80_000, 120_000)


def test_another_image_under_the_same_name_is_added_and_removed() -> None:
    found = compared(planned(images=(replace(A, sha256="e" * 64), B)), PLAN)
    assert counts(found) == (2, 2, 2)
    assert found.images == (Change(A.name, 2, 2),)


def test_a_new_name_for_the_same_bytes_changes_no_job() -> None:
    assert counts(compared(planned(images=(A, replace(B, name="c.png"))), PLAN)) == (0, 0, 4)


def test_without_anything_to_compare_with_everything_is_added() -> None:
    found = compared(PLAN, None)
    assert (counts(found), found.known) == ((4, 0, 0), False)


def test_another_model_is_another_purchase() -> None:
    assert counts(compared(planned(model="other"), PLAN)) == (4, 4, 0)


def test_only_what_must_be_bought_has_a_price() -> None:
    found = compared(PLAN, None, new=1, done=2, shared=1)
    assert (found.new, found.reused) == (1, 3)
    assert found.price is not None
    assert found.price.high == 60_000


def test_an_unknown_price_stays_unknown() -> None:
    assert compared(planned(call=None), None).price is None


def test_images_that_share_their_wants_are_counted_once_each() -> None:
    many = tuple(PlannedImage(f"{n}.png", f"{n:064x}", 1) for n in range(1000))
    found = compared(planned(images=many), planned(images=many[:990]))
    assert counts(found) == (20, 0, 1980)
    assert found.values == (Change("shade=1", 10, 0), Change("shade=2.5", 10, 0))
