"""Windows that slide, and when a submit counts in them."""

from __future__ import annotations

import pytest

from relightflow.run.limits.sliding_window import Permit, SlidingWindow


def test_one_more_may_leave_when_the_oldest_has_left_the_window() -> None:
    window = SlidingWindow(2, 10.0, [Permit(0.0, 0, answered=0.0), Permit(4.0, 0, answered=4.0)])
    assert window.wait(5.0) == 5.0
    assert window.wait(10.0) == 0.0


@pytest.mark.parametrize(("answered", "arrived"), [(None, 0.2), (0.1, 0.1), (3.0, 0.2)])
def test_a_submit_counts_at_its_answer_but_not_later_than_the_allowance(
    answered: float | None, arrived: float
) -> None:
    window = SlidingWindow(1, 10.0, [Permit(0.0, 0, answered=answered)])
    assert window.allowance == 0.2
    assert window.wait(1.0) == pytest.approx(10 + arrived - 1)


@pytest.mark.parametrize(("seconds", "allowance"), [(0.01, 0.01), (1, 0.05), (10, 0.2), (900, 0.5)])
def test_the_allowance_is_two_percent_within_bounds(seconds: float, allowance: float) -> None:
    assert SlidingWindow(1, seconds).allowance == pytest.approx(allowance)


def test_a_window_that_was_shorter_for_a_while_has_lost_nothing() -> None:
    """A length that is tried is taken back when it proves too short, and then counts as before."""
    window = SlidingWindow(2, 10.0, [Permit(0.0, 0, answered=0.0), Permit(1.0, 0, answered=1.0)])
    window.seconds = 5.0
    assert window.wait(7.0) == 0.0
    window.seconds = 10.0
    assert window.wait(7.0) == 3.0


def test_both_windows_look_at_one_log() -> None:
    log = [Permit(0.0, 0, answered=0.0)]
    minute, hour = SlidingWindow(1, 60.0, log), SlidingWindow(2, 3600.0, log)
    assert (minute.wait(10.0), hour.wait(10.0)) == (50.0, 0.0)
    log.append(Permit(60.0, 0, answered=60.0))
    assert (minute.wait(70.0), hour.wait(70.0)) == (50.0, 3530.0)
