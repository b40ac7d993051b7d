"""Golden comments: `RELIGHTFLOW_GOLDEN=write` writes tests/report/comments/ anew; read them."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from relightflow.model.plan import Plan
from relightflow.model.plan_file import PlannedImage
from relightflow.model.plan_status import PlanStatus
from relightflow.plan.difference import PlanDifference
from relightflow.report.comment import LIMITS, Comment, cautions, comment
from tests.plan.test_difference import GREEN, compared
from tests.plan.test_file import CELLS, planned

GOLDEN = Path(__file__).parent / "comments"
MORE = planned(cells=(*CELLS, GREEN))
EVIL = (PlannedImage("<img src=x onerror=y>|@all`.png", "e" * 64, 1), *planned().images)

COMMENTS = {
    "added": Comment([compared(MORE, planned())], against="origin/main"),
    "nothing": Comment([compared(planned(), planned())], against="origin/main"),
    "several": Comment(
        [
            compared(MORE, planned(), new=1, done=1),
            compared(planned(recipe="summer", limits=()), None),
        ],
        against="origin/main",
        warnings=["spring.yaml:3:1: matrix: probably not meant"],
    ),
    "failed": Comment(
        [], [("winter.yaml", "winter.yaml:5:3: matrix: 'x' is not allowed\nand one more")], "main"
    ),
    "unpriced": Comment([compared(planned(call=None), None)], name="nightly"),
    "hostile": Comment([compared(planned(images=EVIL), planned())], against="main"),
    "removed": Comment([compared(planned(cells=CELLS[:1]), MORE)], against="main"),
}


@pytest.mark.parametrize("name", COMMENTS)
def test_a_comment_reads_as_it_is_kept_here(name: str) -> None:
    text = comment(COMMENTS[name], "github")
    path = GOLDEN / f"{name}.md"
    if os.environ.get("RELIGHTFLOW_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_every_kept_comment_is_one_of_these() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*COMMENTS}


def _many(recipes: int, images: int) -> Sequence[PlanDifference]:
    found = tuple(PlannedImage(f"photos/{n:05}.png", f"{n:064x}", 1) for n in range(images))
    return [compared(planned(recipe=f"r{n}", images=found), None) for n in range(recipes)]


@pytest.mark.parametrize("form", LIMITS)
@pytest.mark.parametrize(("recipes", "images"), [(1, 10_000), (300, 20), (600, 1)])
def test_a_comment_fits_and_ends_with_its_marker(form: str, recipes: int, images: int) -> None:
    text = comment(Comment(_many(recipes, images)), form)
    assert len(text) <= LIMITS[form]
    assert text.endswith("\n<!-- relightflow:plan:default -->\n")
    assert text.count("<details>") == text.count("</details>")
    if form == "github":
        assert " more" in text


def test_a_reviewer_is_told_what_a_run_would_refuse_and_what_leaves_the_machine(
    plan: Plan, plan_status: PlanStatus
) -> None:
    seen = replace(
        plan_status, elsewhere="bought with another state", store_fault="out of reach",
        disclosures=("2 images are uploaded to a public address",),
    )  # fmt: skip
    assert list(cautions(plan, seen)) == [
        "spring: images that cannot be used: broken.png (empty)",
        "spring: 2 images are uploaded to a public address",
        "spring: a run would refuse: bought with another state",
        "spring: the shared store could not be read: out of reach",
    ]
    assert len(list(cautions(plan, replace(seen, new=0)))) == 3, "nothing is uploaded then"
