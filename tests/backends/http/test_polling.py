from __future__ import annotations

from itertools import islice

from relightflow.backends.http.polling import LONGEST, PollSchedule


def questions(pace: PollSchedule, seconds: float) -> int:
    """How often a job of so many seconds is asked for."""
    elapsed = 0.0
    for count, wait in enumerate(pace.waits(), start=1):
        elapsed += wait
        if elapsed >= seconds:
            return count
    raise AssertionError


def test_the_first_jobs_are_asked_for_geometrically_from_a_quarter_second() -> None:
    assert list(islice(PollSchedule().waits(), 4)) == [0.25, 0.5, 1.0, 2.0]


def test_after_some_jobs_the_first_question_comes_near_the_median() -> None:
    pace = PollSchedule()
    for seconds in (9.0, 10.0, 11.0):
        pace.learn(seconds)
    assert 10.0 <= next(pace.waits()) <= 11.0


def test_a_job_that_is_older_is_asked_for_sooner() -> None:
    pace = PollSchedule()
    for _ in range(3):
        pace.learn(10.0)
    assert next(pace.waits(elapsed=100.0)) < 0.1


def test_24_jobs_in_batches_of_8_need_at_most_four_questions_each() -> None:
    """Typical times of the default model, a third more or less."""
    pace = PollSchedule()
    total = 0
    for batch in range(3):
        times = [10.34 * (0.67 + 0.66 * (n * 7 % 24) / 24) for n in range(batch * 8, batch * 8 + 8)]
        total += sum(questions(pace, t) for t in times)
        for t in times:
            pace.learn(t)
    assert total / 24 <= 4


def test_no_wait_is_longer_than_half_a_minute() -> None:
    assert max(islice(PollSchedule().waits(), 50)) == LONGEST


def test_times_of_zero_do_not_make_a_busy_loop() -> None:
    pace = PollSchedule()
    for _ in range(5):
        pace.learn(0.0)
    assert all(wait > 0 for wait in islice(pace.waits(), 20))
