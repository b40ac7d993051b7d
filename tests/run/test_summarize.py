from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import EXPIRES, ResultKnown, Step
from relightflow.model.values import FrozenMap
from tests.conftest import Stage
from tests.scripted_backend import fails


def test_the_summary_says_what_became_of_everything(stage: Stage) -> None:
    (stage.folder / "in/broken.png").write_bytes(b"no image")
    stage.recipe([0, 1])
    summary = stage.run(cap=50_000)
    counts = summary.counts
    assert (counts.jobs, counts.made, counts.not_started, counts.rejected) == (2, 1, 1, 1)
    assert summary.exit == 7
    assert {int(issue.exit) for issue in summary.issues} == {1, 7}
    assert json.loads(Path(summary.manifest).read_text().splitlines()[0])["counts"]["done"] == 1


@pytest.mark.parametrize("details", [FrozenMap({EXPIRES: 1_795_438_800.0}), FrozenMap()])
def test_the_summary_says_by_when_what_waits_must_be_collected(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, details: FrozenMap
) -> None:
    """Where the provider deletes results soon; another one's wait for days, and it says nothing."""

    def made(call: Any, _: int) -> Step:
        request_id = stage.provider.charge(call.job.key)
        return ResultKnown(request_id, "https://studio/x", None, details)

    def away(_: object, __: int) -> Step:
        raise fails(FailureKind.PENDING, Billed.UNKNOWN)

    stage.provider.on_submit, stage.provider.on_collect = made, away
    stage.recipe([0, 1])
    summary = stage.run_in_no_time(monkeypatch)
    assert summary.counts.pending == 2
    said = [issue for issue in summary.issues if "deleted by the provider" in issue.message]
    assert [(issue.count, "2026-11-23 13:00 UTC" in issue.message) for issue in said] == (
        [(2, True)] if details else []
    )
