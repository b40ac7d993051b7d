"""When more is tried than was learned, and how far back it goes."""

from __future__ import annotations

import pytest

from relightflow.run.limits.rate_trials import RateTrials
from relightflow.run.limits.sliding_window import SlidingWindow


def trials(limit: SlidingWindow, unsure: float, saved: bool = False) -> RateTrials:
    made = RateTrials()
    made.learned(limit.seconds, unsure, saved)
    return made


def windows(made: RateTrials, limit: SlidingWindow, number: int, sent: int = 0) -> None:
    for _ in range(number):
        made.window_passed(limit, sent)
        made.begin(limit)


def test_a_window_that_may_be_too_long_is_tried_shorter() -> None:
    limit = SlidingWindow(50, 6.0)
    made = trials(limit, 0.5)
    windows(made, limit, 1)
    assert limit.seconds == 5.5
    windows(made, limit, 1)
    assert (limit.seconds, made.back.seconds if made.back else 0) == (5.0, 5.5)


def test_half_the_step_is_tried_after_a_refusal_down_to_two_percent() -> None:
    limit, tried = SlidingWindow(50, 5.0), []
    made = trials(limit, 0.5)
    for _ in range(6):
        windows(made, limit, 1)
        tried.append(limit.seconds)
        if made.back:
            made.failed(limit)
        assert limit.seconds == 5.0
    assert tried == [4.5, 4.75, 4.875, 5.0, 5.0, 5.0]


def test_resets_that_are_exact_end_the_trials() -> None:
    limit = SlidingWindow(50, 5.0)
    made = trials(limit, 0.5)
    windows(made, limit, 1)
    made.compare(10.02, 10.0, whole=True)
    made.failed(limit)
    windows(made, limit, 1)
    assert limit.seconds == 5.0


def test_many_refusals_end_the_trials_until_there_are_more_submits() -> None:
    limit = SlidingWindow(50, 5.0)
    made = trials(limit, 0.5)
    made.refused = 8
    windows(made, limit, 1, sent=0)
    assert limit.seconds == 5.0
    windows(made, limit, 1, sent=48)
    assert limit.seconds == 4.5


def test_one_call_more_is_tried_after_eight_windows_and_later_the_next_time() -> None:
    limit = SlidingWindow(50, 60.0)
    made = trials(limit, 0.5)
    windows(made, limit, 7)
    assert limit.calls == 50
    windows(made, limit, 1)
    assert limit.calls == 51
    made.failed(limit)
    assert limit.calls == 50
    windows(made, limit, 15)
    assert limit.calls == 50
    windows(made, limit, 1)
    assert limit.calls == 51


@pytest.mark.parametrize(("saved", "until"), [(False, 1), (True, 4)])
def test_a_bucket_is_given_four_windows(saved: bool, until: int) -> None:
    limit = SlidingWindow(16, 20.0)
    made = trials(limit, 8.0, saved)
    windows(made, limit, until - 1)
    assert limit.seconds == 20.0
    windows(made, limit, 1)
    assert limit.seconds == 15.0
