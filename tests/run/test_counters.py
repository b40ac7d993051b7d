from relightflow.model.recipe import Rate
from relightflow.run.counters import Counters
from relightflow.run.limits.budget import Budget
from relightflow.run.limits.rate_limit import RateLimiter


class Stopwatch:
    """A clock that stands where the test puts it."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_job_that_waits_for_the_rate_limit_is_not_in_flight() -> None:
    counters = Counters(3, Budget(), Stopwatch())
    with counters.working, counters.working:
        with counters.waiting:
            assert (counters.in_flight, counters.snapshot().waiting) == (1, 1)
        assert (counters.in_flight, counters.snapshot().waiting) == (2, 0)
    assert counters.in_flight == 0


def test_the_time_left_is_what_the_rate_limit_allows_where_that_is_longer() -> None:
    clock = Stopwatch()
    limiter = RateLimiter(clock, Rate(50, 60.0))
    counters = Counters(1000, Budget(), clock, limiter.seconds_for)
    clock.now = 10.0
    counters.made = 500  # one burst: fifty a second would be 10 s for the rest
    assert counters.snapshot().seconds_left == 600.0


def test_an_unknown_limit_leaves_the_time_to_the_pace() -> None:
    clock = Stopwatch()
    counters = Counters(1000, Budget(), clock, RateLimiter(clock).seconds_for)
    clock.now = 10.0
    counters.made = 500
    assert counters.snapshot().seconds_left == 10.0
