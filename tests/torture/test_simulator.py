"""A few hundred simulated histories; `make torture` goes through many more."""

from __future__ import annotations

import pytest

from benchmarks.torture.simulator import history

REMEMBERED = (
    1051,  # a row of an earlier failed try left a doubt for ever
    1084,  # the same, of another hour
    1149,  # the same let a job be bought twice
)


@pytest.mark.parametrize("first", range(0, 40, 5))
def test_no_history_pays_twice_loses_a_call_or_passes_the_cap(first: int) -> None:
    for seed in range(first, first + 5):
        history(seed)


@pytest.mark.parametrize("seed", REMEMBERED)
def test_what_once_went_wrong_stays_right(seed: int) -> None:
    history(seed)


def test_a_seed_is_one_history() -> None:
    assert history(7) == history(7)
