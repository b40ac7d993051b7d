from __future__ import annotations

import pytest

from relightflow.errors import UsageError
from relightflow.model.recipe import Rate
from relightflow.run.limits.rate_limit import RateLimiter
from relightflow.run.run_opening import _by_rate, _lowest
from tests.conftest import Stage


def test_a_model_without_a_price_is_refused_unless_one_is_given(stage: Stage) -> None:
    stage.recipe(model="riddle")
    for price in (None, 0):
        with pytest.raises(UsageError, match="--price"):
            stage.run(price=price)
    assert stage.provider.submits == []
    assert stage.run(price=70_000).exit == 0


def test_entries_of_one_backend_have_the_rate_that_lets_the_fewest_calls_leave() -> None:
    assert _lowest([None, Rate(50, 60), Rate(10, 5)]) == Rate(50, 60)
    assert _lowest([None]) is None


def test_calls_that_leave_through_several_rate_limits_leave_side_by_side() -> None:
    class Stopped:
        def monotonic(self) -> float:
            return 0.0

        def wall(self) -> float:
            return 0.0

        async def sleep(self, seconds: float) -> None:
            raise AssertionError(seconds)

    limiters = [RateLimiter(Stopped(), Rate(1, 10)) for _ in range(2)]
    assert _by_rate(limiters[:1], 8) == limiters[0].seconds_for(8)
    assert _by_rate(limiters, 8) == limiters[0].seconds_for(4)
    assert _by_rate([], 8) == 0
