"""Windows that slide, and when a submit counts in them."""

from __future__ import annotations

import pytest

from relightflow.run.limits.sliding_window import Permit, SlidingWindow


def test_one_more_may_leave_when_the_oldest_has_left_the_window() -> None:
    window = SlidingWindow(2, 10.0, [Permit(0.0, 0, answered=0.0), Permit(4.0, 0, answered=4.0)])
    assert window.wait(5.0) == 5.0
    assert window.wait(10.0) == 0.0
    assert len(window.log) == 1


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


def test_a_refused_submit_leaves_its_place() -> None:
    permit = Permit(0.0, 0)
    window = SlidingWindow(1, 10.0, [permit])
    window.forget(permit)
    window.forget(permit)
    assert window.wait(0.0) == 0.0
