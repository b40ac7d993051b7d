"""A few hundred simulated histories; `make reliability` goes through many more."""

from __future__ import annotations

import pytest

from benchmarks.reliability.simulator import history


@pytest.mark.parametrize("first", range(0, 40, 5))
def test_no_history_pays_twice_loses_a_call_or_passes_the_cap(first: int) -> None:
    for seed in range(first, first + 5):
        history(seed)


def test_a_seed_is_one_history() -> None:
    assert history(7) == history(7)


@pytest.mark.parametrize("first", range(0, 12, 4))
def test_nor_does_one_over_two_providers(first: int) -> None:
    for seed in range(first, first + 4):
        history(seed, several=True)
