"""An unknown outcome is told with what settles it, and when."""

from __future__ import annotations

from relightflow.model.evidence import Needs, Undecided
from relightflow.report.doubts import advice, settled_by

LATE = 4_000_000_000.0
TIME = Undecided(Needs.TIME, "the records lag", LATE)


def test_each_thing_that_is_waited_for_has_its_line() -> None:
    lines = advice(
        [
            None,
            TIME,
            TIME,
            Undecided(Needs.PURCHASE, "p"),
            Undecided(Needs.PERSON, "cannot be read"),
        ]
    )
    assert [line.partition(":")[0] for line in lines] == ["1 call", "2 calls", "1 call", "1 call"]
    assert "the next run asks the provider" in lines[0]
    assert "run --wait" in lines[1]
    assert "can settle them from" in lines[1]
    assert "can settle it from" in advice([TIME])[0]
    assert "nothing needs to be decided" in lines[1]
    assert "2096-10-0" in lines[1]
    assert "the next purchase settles them" in lines[2]
    assert "need your decision" in lines[3]
    assert "(cannot be read)" in lines[3]


def test_nothing_in_doubt_needs_no_word() -> None:
    assert advice([]) == []


def test_a_table_says_it_shorter() -> None:
    assert settled_by(None) == "the next run"
    assert settled_by(Undecided(Needs.TIME, "w")) == "the records"
    assert settled_by(TIME).startswith("the records, from 2096-10-0")
    assert settled_by(Undecided(Needs.PURCHASE, "w")) == "the next purchase"
    assert settled_by(Undecided(Needs.RUN, "w")) == "the next run"
    assert settled_by(Undecided(Needs.PERSON, "w")) == "your decision"


def test_a_reason_cannot_write_to_the_terminal() -> None:
    assert "\x1b" not in advice([Undecided(Needs.PERSON, "\x1b[2J")])[0]
