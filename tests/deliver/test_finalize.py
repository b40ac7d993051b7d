"""The last pass: it always describes the whole recipe, whatever part of it a run was about."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relightflow import api
from relightflow.deliver import finalize
from relightflow.model.callbacks import RunCallbacks
from relightflow.model.failure import FailureKind
from relightflow.model.picks import Pick, Picks
from relightflow.model.plan import Selection
from relightflow.model.run_options import RunOptions
from relightflow.model.spending import SpendLimit
from relightflow.model.summary import Summary
from relightflow.model.values import FrozenMap
from tests.conftest import Stage
from tests.scripted_backend import fails

LIMIT = SpendLimit(100_000_000, "limits.max_cost")


def run(stage: Stage, selection: Selection) -> Summary:
    plan = stage.plan(selection)
    options = RunOptions(limits=(LIMIT,))
    return asyncio.run(
        api.run(plan, stage.registry, stage.state_dir, options, stage.operator, RunCallbacks())
    )


def manifest(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def refuses(shade: int) -> Callable[[Any, int], None]:
    """A provider that takes every shade but one, and says so before it bills."""

    def on_submit(call: Any, _: int) -> None:
        if call.job.parameters["shade"] == shade:
            raise fails(FailureKind.JOB_FAILED)

    return on_submit


def parts(summary: Summary) -> int:
    counts = summary.counts
    ended = counts.made + counts.reused + counts.failed + counts.unknown
    return ended + counts.pending + counts.not_started


def test_the_manifest_of_a_part_describes_the_whole_recipe(stage: Stage) -> None:
    stage.recipe(shades=[0, 1, 2])
    summary = run(stage, Selection(only=(("shade", ("1",)),)))
    assert (summary.counts.jobs, summary.counts.planned) == (1, 3)
    head, *records = manifest(stage.out)
    assert head["counts"]["outputs"] == head["counts"]["done"] + head["counts"]["missing"] == 3
    assert [(r["index"], r["status"]) for r in records] == [
        (0, "missing"), (1, "done"), (2, "missing"),
    ]  # fmt: skip
    assert records == manifest(Path(summary.manifest).parent)[1:]


def test_a_part_changes_no_byte_of_a_finished_recipe(stage: Stage) -> None:
    stage.image("b.png")
    name = "{index}-{image.stem}.{ext}"  # says where an output stands in the whole recipe
    stage.recipe(
        shades=[0, 1, 2], repeat=2, sinks=[{"type": "directory", "path": "out/", "name": name}]
    )
    stage.run()
    whole = {path.name: path.read_bytes() for path in stage.out.iterdir()}
    assert len(whole) == 13
    picks = Picks("p", "", (Pick(FrozenMap({"shade": 2}), "in/b.png", "", 1),))
    for selection in (
        Selection(limit=3),
        Selection(only=(("shade", ("2",)), ("image", ("*b*",)))),
        Selection(picks=picks),
        Selection(only=(("shade", ("2",)),), limit=1, picks=picks),
    ):
        summary = run(stage, selection)
        assert (summary.exit, summary.counts.delivered, summary.calls) == (0, 0, 0)
        assert {path.name: path.read_bytes() for path in stage.out.iterdir()} == whole


def test_a_part_is_named_as_it_will_be_in_the_whole(stage: Stage) -> None:
    name = "{index}.{ext}"
    stage.recipe(
        shades=[0, 1, 2], repeat=2, sinks=[{"type": "directory", "path": "out/", "name": name}]
    )
    run(stage, Selection(only=(("shade", ("1",)),)))
    assert stage.images() == ["2.png", "3.png"]
    stage.run()
    assert stage.images() == [f"{n}.png" for n in range(6)]
    assert len(stage.provider.bill) == 6


def test_failures_outside_the_part_are_not_its_own(stage: Stage) -> None:
    stage.recipe(shades=[0, 1])
    stage.provider.on_submit = refuses(0)
    assert stage.run().exit == 1
    summary = run(stage, Selection(only=(("shade", ("1",)),)))
    assert (summary.exit, summary.issues) == (0, ())
    assert manifest(Path(summary.manifest).parent)[0]["counts"]["failed"] == 1


def test_jobs_are_counted_once_however_many_outputs_want_them(stage: Stage) -> None:
    stage.image("twin.png", "a.png")  # the same bytes
    stage.image("b.png")
    stage.recipe(shades=[0, 1, 2])
    stage.provider.on_submit = refuses(2)
    summary = stage.run()
    counts = summary.counts
    assert (counts.jobs, counts.made, counts.failed) == (6, 4, 2)
    assert parts(summary) == counts.jobs
    assert sum(issue.count for issue in summary.issues) == 2
    again = stage.run()
    assert (again.counts.reused, again.counts.failed, parts(again)) == (4, 2, 6)
    head = manifest(stage.out)[0]["counts"]
    assert (head["outputs"], head["jobs"], head["done"], head["failed"]) == (9, 6, 6, 3)


def test_parts_add_up_where_a_run_stops_early(stage: Stage) -> None:
    stage.image("twin.png", "a.png")
    stage.recipe(shades=[0, 1, 2, 3])
    summary = stage.run(cap=100_000)
    assert summary.exit == 7
    assert parts(summary) == summary.counts.jobs == 4


def test_the_summary_names_the_manifest_beside_the_images(stage: Stage) -> None:
    summary = stage.run()
    assert summary.delivered_manifest == str(stage.out / "manifest.jsonl")
    shutil.rmtree(stage.out)
    stage.out.write_text("a file in the way of the folder")
    assert stage.run().delivered_manifest == ""


def test_an_image_of_which_nothing_was_selected_gets_no_sheet_yet(stage: Stage) -> None:
    stage.image("b.png")
    stage.recipe(shades=[0, 1], sinks=[{"type": "contact-sheet", "path": "out/"}])
    run(stage, Selection(limit=1))
    assert sorted(path.name for path in stage.out.iterdir()) == ["a.jpg"]
    stage.run()
    assert sorted(path.name for path in stage.out.iterdir()) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(("checks", "walks"), [("", 1), ("checks: default\n", 2)])
def test_the_results_are_gone_through_once_more_only_where_something_is_checked(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, checks: str, walks: int
) -> None:
    gone_through: list[object] = []
    real = finalize._outputs_with_state

    def counting(plan: Any, delivery: Any) -> Any:
        gone_through.append(plan)
        return real(plan, delivery)

    monkeypatch.setattr(finalize, "_outputs_with_state", counting)
    stage.recipe([0, 1])
    with stage.path.open("a") as recipe:
        recipe.write(checks)
    assert stage.run().counts.made == 2
    assert len(gone_through) == walks
