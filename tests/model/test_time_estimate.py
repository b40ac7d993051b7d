import pytest

from relightflow.model.recipe import Limits, Rate
from relightflow.model.time_estimate import CallTime, TimeEstimate, time_estimate

TEN = CallTime(10.0, 20)


@pytest.mark.parametrize(
    ("calls", "limits", "call", "seconds", "by_rate"),
    [
        (16, Limits(concurrency=8), TEN, 20.0, False),
        (17, Limits(concurrency=8), TEN, 30.0, False),
        (1, Limits(concurrency=8), TEN, 10.0, False),
        (100, Limits(concurrency=8, rate=Rate(50, 60.0)), TEN, 130.0, False),
        (100, Limits(concurrency=50, rate=Rate(50, 60.0)), TEN, 70.0, True),
        (50, Limits(concurrency=50, rate=Rate(50, 60.0)), TEN, 10.0, False),
        (101, Limits(rate=Rate(50, 60.0)), None, 120.0, True),
        (50, Limits(rate=Rate(50, 60.0)), None, None, False),
        (50, Limits(), None, None, False),
    ],
)
def test_the_rate_or_the_calls_decide(
    calls: int, limits: Limits, call: CallTime | None, seconds: float | None, by_rate: bool
) -> None:
    expected = TimeEstimate(seconds, call, limits.concurrency, by_rate)
    assert time_estimate(calls, limits, call) == expected


def test_nothing_takes_no_time() -> None:
    assert time_estimate(0, Limits(), TEN) is None
