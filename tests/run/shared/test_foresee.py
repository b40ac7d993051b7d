from collections.abc import Mapping
from typing import Any

from relightflow.model.job import Job
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.plan.outputs import jobs
from relightflow.run.shared.foresee import Elsewhere, StoreView
from relightflow.store.shared import SharedStore
from tests.conftest import Stage


class Store(SharedStore):
    """Has what it is told; breaks down at a key of `broken`."""

    def __init__(self, finished: set[str], accepted: set[str], broken: bool = False) -> None:
        self._finished, self._accepted, self._broken = finished, accepted, broken
        self.asked = 0

    def finished(self, job: Mapping[str, Any]) -> dict[str, Any] | None:
        self.asked += 1
        if self._broken:
            raise ObjectFault(Reason.PASSING, "s3://bucket/store", "out of reach")
        return dict(job) if job["key"] in self._finished else None

    def accepted(self, job: Mapping[str, Any]) -> dict[str, Any] | None:
        return dict(job) if job["key"] in self._accepted else None


def _jobs(stage: Stage) -> list[Job]:
    stage.recipe(shades=[1, 2, 3])
    return list(jobs(stage.plan()))


def test_finished_jobs_and_calls_under_way_are_told_apart(stage: Stage) -> None:
    one, two, three = _jobs(stage)
    found = StoreView(Store({one.key}, {two.key})).ask([one, two, three])
    assert found == {one.key: Elsewhere.FINISHED, two.key: Elsewhere.IN_FLIGHT}


def test_after_a_fault_nothing_is_believed_and_nothing_more_is_asked(stage: Stage) -> None:
    store = Store(set(), set(), broken=True)
    view = StoreView(store)
    assert view.ask(_jobs(stage)) == {}
    assert view.fault == "s3://bucket/store: out of reach"
    asked = store.asked
    assert view.ask(_jobs(stage)) == {}
    assert store.asked == asked
