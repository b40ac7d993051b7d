"""The state machine of benchmarks/reliability/machine.py, a few examples of it."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from benchmarks.reliability.machine import Buying

FEW = settings(
    max_examples=30,
    stateful_step_count=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_no_order_of_events_pays_twice_or_loses_a_call() -> None:
    run_state_machine_as_test(Buying, settings=FEW)
