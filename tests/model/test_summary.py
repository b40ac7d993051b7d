from __future__ import annotations

from relightflow.errors import Exit
from relightflow.model.summary import Counts, Issue, Money, Summary


def _summary(*issues: Issue) -> Summary:
    counts, money = Counts(1, 1, 0, 0, 0, 0, 0, 0, 0, 0), Money(0, 0, 0, None, "")
    return Summary("r", "demo", "b", "m", counts, money, issues, 1.0, "manifest.jsonl")


def test_a_run_ends_with_its_gravest_issue_wherever_it_stands() -> None:
    early, unknown = Issue(Exit.EARLY, "outage"), Issue(Exit.UNKNOWN, "no answer")
    assert _summary().exit is Exit.OK
    assert _summary(early, unknown).exit is Exit.UNKNOWN
    assert _summary(unknown, early).exit is Exit.UNKNOWN
