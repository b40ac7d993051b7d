from collections.abc import Mapping
from typing import Any

from relightflow.ledger.reader import Reader
from relightflow.model.attempt import State
from relightflow.model.claim import JobClaim
from relightflow.model.job import Job
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.plan.outputs import jobs
from relightflow.run.shared.foresee import Elsewhere, StoreView
from relightflow.store.shared import SharedStore
from tests.conftest import Stage


class Store(SharedStore):
    """Has what it is told; breaks down where it is `broken`."""

    def __init__(
        self, finished: set[str], claimed: Mapping[str, State], broken: bool = False
    ) -> None:
        self._finished, self._claimed, self._broken = finished, claimed, broken
        self.asked = 0

    def finished(self, job: Mapping[str, Any]) -> dict[str, Any] | None:
        self.asked += 1
        if self._broken:
            raise ObjectFault(Reason.PASSING, "s3://bucket/store", "out of reach")
        return dict(job) if job["key"] in self._finished else None

    @property
    def claims(self) -> Any:
        return self

    def of(self, job: Mapping[str, Any]) -> JobClaim | None:
        state = self._claimed.get(job["key"])
        return JobClaim(job["key"], state, "a" * 32, "r", "m", 0.0, 1) if state else None


NO_LEDGER = Reader(None)


def _jobs(stage: Stage) -> list[Job]:
    stage.recipe(shades=[1, 2, 3, 4])
    return list(jobs(stage.plan()))


def test_finished_claimed_and_failed_jobs_are_told_apart(stage: Stage) -> None:
    one, two, three, four = _jobs(stage)
    store = Store({one.key}, {two.key: State.INTENT, four.key: State.FAILED})
    found = StoreView(store).ask([one, two, three, four], NO_LEDGER)
    assert found == {
        one.key: Elsewhere.FINISHED, two.key: Elsewhere.IN_FLIGHT, four.key: Elsewhere.FAILED
    }  # fmt: skip


def test_after_a_fault_nothing_is_believed_and_nothing_more_is_asked(stage: Stage) -> None:
    store = Store(set(), {}, broken=True)
    view = StoreView(store)
    assert view.ask(_jobs(stage), NO_LEDGER) == {}
    assert view.fault == "s3://bucket/store: out of reach"
    asked = store.asked
    assert view.ask(_jobs(stage), NO_LEDGER) == {}
    assert store.asked == asked
