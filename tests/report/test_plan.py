from dataclasses import replace

import pytest

from relightflow.model.catalog import FREE, Price
from relightflow.model.cost_estimate import CostEstimate, LimitStatus
from relightflow.model.job import Job, Output
from relightflow.model.plan import Plan
from relightflow.model.plan_status import PlanStatus
from relightflow.model.planned_output import OutputAction, PlannedOutput
from relightflow.model.spending import SpendLimit
from relightflow.model.time_estimate import CallTime, TimeEstimate
from relightflow.report import escape
from relightflow.report.plan import cap, jobs
from relightflow.report.plan import plan as words


def test_the_first_line_says_what_a_run_would_make_and_cost(
    plan: Plan, plan_status: PlanStatus, estimate: CostEstimate
) -> None:
    assert words(plan, plan_status, estimate).splitlines()[0] == "spring: 3 jobs to make, 0.15 USD"


def test_the_jobs_are_told_by_how_they_stand(
    plan: Plan, plan_status: PlanStatus, estimate: CostEstimate
) -> None:
    assert "  jobs     4: 1 done, 3 new\n" in words(plan, plan_status, estimate)


def test_images_that_cannot_be_used_are_named_with_the_reason(
    plan: Plan, plan_status: PlanStatus, estimate: CostEstimate
) -> None:
    assert "    broken.png: empty" in words(plan, plan_status, estimate)


def test_a_finished_plan_says_so(plan: Plan, plan_status: PlanStatus) -> None:
    done = replace(plan_status, done=4, new=0, price=FREE)
    said = words(plan, done, CostEstimate(0, FREE))
    assert said.startswith("spring: all 4 jobs are done; nothing to make\n")


def test_a_plan_without_images_says_so(plan: Plan) -> None:
    empty = replace(plan, images=(), rejected=(), outputs_count=0, jobs_count=0)
    said = words(empty, PlanStatus(0, 0, 0, 0, 0, 0, FREE, 0), CostEstimate(0, FREE))
    assert said.startswith("spring: no image found")


def test_unknown_jobs_are_told_with_their_price(
    plan: Plan, plan_status: PlanStatus, estimate: CostEstimate
) -> None:
    doubtful = replace(plan_status, unknown=2, unknown_price=100_000)
    assert "2 (may have been billed, 0.10 USD; held)" in words(plan, doubtful, estimate)


def capped(committed: int) -> tuple[LimitStatus, ...]:
    return (LimitStatus(SpendLimit(50_000, "--max-cost"), committed),)


def test_a_budget_names_its_window() -> None:
    limits = (LimitStatus(SpendLimit(2_000_000, "--budget", 7 * 86_400), 0), *capped(0))
    assert cap(CostEstimate(1, Price(1, 50_000), limits)) == (
        "2.00 USD in 7 days (--budget); 0.05 USD (--max-cost): enough"
    )


def test_a_cap_that_suffices() -> None:
    said = cap(CostEstimate(1, Price(1, 50_000), capped(0)))
    assert said == "0.05 USD (--max-cost): enough"


def test_a_cap_that_does_not_suffice_counts_what_is_in_use() -> None:
    said = cap(CostEstimate(1, Price(1, 50_000), capped(10_000)))
    assert said == ("0.05 USD (--max-cost), 0.01 USD of it used: NOT enough for the whole plan")


def test_a_paid_plan_without_a_cap_says_what_to_type() -> None:
    assert "--max-cost" in cap(CostEstimate(1, Price(1, 1)))


def test_a_free_plan_speaks_of_no_cap() -> None:
    assert cap(CostEstimate(5, FREE)) == ""


def outputs(plan: Plan) -> list[PlannedOutput]:
    pairs = ((image, cell) for image in plan.images for cell in plan.cells)
    return [
        PlannedOutput(
            Output(n, Job("f" * 64, image, "studio", "glow", cell, 0), image, cell),
            OutputAction.MAKE, "new", "/out", f"{image.stem}.*",
        )
        for n, (image, cell) in enumerate(pairs)
    ]  # fmt: skip


def test_the_table_has_a_line_an_output_with_its_cell(plan: Plan) -> None:
    lines = list(jobs(plan, outputs(plan), None))
    assert [line.split() for line in lines[:3]] == [
        ["job", "light_direction", "action", "image", "file"],
        ["ffffffffffffffff", "left", "make", "a.png", "a.*", "(new)"],
        ["ffffffffffffffff", "right", "make", "a.png", "a.*", "(new)"],
    ]


def test_the_table_escapes_names(plan: Plan) -> None:
    assert "\x1b" not in "".join(jobs(plan, outputs(plan), None))


def test_the_table_fits_the_terminal(plan: Plan) -> None:
    assert max(map(escape.width, jobs(plan, outputs(plan), 80))) <= 80


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (TimeEstimate(90.0, CallTime(6.0, 120), 8, False),
         "about 1 min 30 s, longer if the provider limits the rate (8 at a time, 6.0 s each: the median "
         "of the last 120 calls)"),
        (TimeEstimate(90.0, CallTime(6.0), 8, False),
         "about 1 min 30 s, longer if the provider limits the rate (8 at a time, 6.0 s each: its typical "
         "time)"),
        (TimeEstimate(90.0, CallTime(6.0), 8, True), "about 1 min 30 s (limits.rate)"),
        (TimeEstimate(60.0, None, 8, True),
         "at least 1 min (limits.rate): this model was not called here yet"),
        (TimeEstimate(None, None, 8, False), "not known: this model was not called here yet"),
    ],
)  # fmt: skip
def test_the_time_is_told_with_what_it_is_known_from(
    plan: Plan, plan_status: PlanStatus, estimate: CostEstimate, found: TimeEstimate, said: str
) -> None:
    assert f"time     {said}" in words(plan, plan_status, replace(estimate, time=found))


def test_of_several_backends_each_is_told_with_its_calls_price_and_share(
    several: Plan, plan_status: PlanStatus, of_several: CostEstimate
) -> None:
    lines = words(several, plan_status, of_several).splitlines()
    assert [line.strip() for line in lines if line.startswith("  backend")] == [
        "backend  studio, glow, 0.05 USD per job: 1 to make, 0.05 USD",
        "backend  draft: nothing to make",
        "backend  best: studio, glare, 0.06 to 0.08 USD per job: 2 to make, 0.12 to 0.16 USD; at most "
        "0.50 USD (backend[2].limits.max_cost), 0.10 USD of it used",
    ]
