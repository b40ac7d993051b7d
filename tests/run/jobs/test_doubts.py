"""What becomes of a doubt that no records can settle."""

from __future__ import annotations

from relightflow.errors import Exit
from relightflow.ledger.reader import open_reader
from relightflow.model.evidence import Evidence, Needs, undecided
from relightflow.model.failure import Billed, FailureKind
from relightflow.model.step import ResultKnown
from relightflow.plugins.backend import Call, RecordsQuery, Settlement
from tests.conftest import Stage
from tests.scripted_backend import ScriptedBackend, fails


def _lost(_: Call, __: int) -> None:
    raise fails(FailureKind.UNKNOWN, Billed.UNKNOWN)


def test_a_backend_that_cannot_look_calls_up_leaves_them_to_a_person(stage: Stage) -> None:
    stage.provider.on_submit = _lost
    first, second = stage.run(), stage.run()
    for summary in (first, second):
        (issue,) = summary.issues
        assert (summary.exit, issue.exit) == (Exit.UNKNOWN, Exit.UNKNOWN)
        assert "'studio' cannot look calls up" in issue.message
        assert "'relightflow resolve' lets you decide" in issue.message
        assert "next run" not in issue.message
    with open_reader(stage.state_dir.ledger) as reader:
        (attempt,) = reader.unknown_attempts("studio")
    found = undecided(attempt.details)
    assert found
    assert found.needs is Needs.PERSON
    assert len(stage.provider.submits) == 1


def test_a_backend_that_learns_to_look_calls_up_is_asked_about_them(stage: Stage) -> None:
    stage.provider.on_submit = _lost
    stage.run()
    asked: list[RecordsQuery] = []

    class Recorded(ScriptedBackend):
        async def look_up(self, query: RecordsQuery, *_: object) -> Evidence:
            asked.append(query)
            return Evidence(absent=tuple(doubt.id for doubt in query.doubts))

    stage.settle(Settlement("lookup"), Recorded)
    stage.provider.on_submit = lambda _, __: None
    assert stage.run().exit == 0
    assert [len(query.doubts) for query in asked] == [1]
    assert len(stage.provider.bill) == 1


def test_one_request_is_the_result_of_one_job_whatever_the_records_say(stage: Stage) -> None:
    """The other job stays unknown, and nothing is booked for it."""
    stage.recipe([0, 1])
    stage.provider.on_submit = _lost
    stage.run()

    class Confused(ScriptedBackend):
        async def look_up(self, query: RecordsQuery, *_: object) -> Evidence:
            key = query.doubts[0].job_key
            step = ResultKnown(f"{key}-request", "https://studio/one", 40_000)
            return Evidence(adopted=tuple((doubt.id, step) for doubt in query.doubts))

    stage.settle(Settlement("lookup"), Confused)
    summary = stage.run()
    assert (summary.exit, summary.counts.made, summary.counts.unknown) == (Exit.UNKNOWN, 1, 1)
    assert summary.money.spent == 40_000
    assert "another job's request id" in summary.issues[0].message
