from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.recipe import Sample
from relightflow.plan import sample as module
from relightflow.plan.matrix import Cells
from relightflow.plan.sample import sampled, sampled_count

FOUR = {name: ["p", "q", "r", "s"] for name in "abcd"}
MOST = 10**6


def numbers(make: Any, size: int) -> Cells:
    return Cells(make.matrix({"n": list(range(size))}))


def chosen(cells: Cells, sample: Sample) -> list[Any]:
    return [cell["n"] for cell in sampled(cells, sample, MOST)]


def test_full_is_every_cell(make: Any) -> None:
    cells = Cells(make.matrix(FOUR))
    assert list(sampled(cells, Sample(), MOST)) == list(cells)


def test_first_is_the_first_few(make: Any) -> None:
    assert chosen(numbers(make, 9), Sample("first", count=3)) == [0, 1, 2]


@pytest.mark.parametrize("strategy", ["first", "random"])
def test_more_than_there_are_is_all(make: Any, strategy: Any) -> None:
    assert chosen(numbers(make, 3), Sample(strategy, count=9)) == [0, 1, 2]


def test_a_random_choice_is_the_same_everywhere_and_for_ever(make: Any) -> None:
    # written down once: another version of Python or of this program must choose the same
    assert chosen(numbers(make, 100), Sample("random", count=5, seed=7)) == [18, 31, 63, 73, 80]


def test_a_random_choice_among_very_many_is_the_same_for_ever(make: Any) -> None:
    cells = Cells(make.matrix({f"n{i}": list(range(100)) for i in range(6)}))
    found = sampled(cells, Sample("random", count=2, seed=7), MOST)
    assert [tuple(cell.values()) for cell in found] == [
        (18, 14, 24, 76, 62, 2),
        (21, 46, 55, 70, 39, 93),
    ]


@given(seed=st.integers(0, 99), count=st.integers(0, 30), small=st.booleans())
def test_a_random_choice_has_so_many_different_cells_in_plan_order(
    make: Any, seed: int, count: int, small: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "RANKED", 30 if small else 29)
        values = chosen(numbers(make, 30), Sample("random", count=count, seed=seed))
    assert values == sorted(set(values))
    assert len(values) == count


@pytest.mark.parametrize("ranked", [0, 100])
def test_a_larger_random_choice_keeps_the_smaller(
    make: Any, ranked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RANKED", ranked)
    few, more = (set(chosen(numbers(make, 50), Sample("random", count=n, seed=1))) for n in (5, 20))
    assert few < more


def test_another_seed_chooses_otherwise(make: Any) -> None:
    one, other = (chosen(numbers(make, 90), Sample("random", count=9, seed=s)) for s in (1, 2))
    assert one != other


def test_a_choice_survives_a_reordered_matrix(make: Any) -> None:
    there, back = (
        Cells(make.matrix({"n": values})) for values in ([*range(20)], [*reversed(range(20))])
    )
    sample = Sample("random", count=5, seed=3)
    assert sorted(chosen(there, sample)) == sorted(chosen(back, sample))


def test_pairwise_takes_sixteen_of_four_axes_of_four(make: Any) -> None:
    assert len(sampled(Cells(make.matrix(FOUR)), Sample("pairwise"), MOST)) == 16


def test_pairwise_keeps_included_cells_whole_and_last(make: Any) -> None:
    extra = {"a": "z", "b": "p", "c": "q", "d": "r"}
    cells = Cells(make.matrix(FOUR, include=(extra,)))
    assert dict(sampled(cells, Sample("pairwise"), MOST)[-1]) == extra


def test_pairwise_extends_cells_as_include_says(make: Any) -> None:
    cells = Cells(make.matrix(FOUR, include=({"a": "p", "e": 1},)))
    made = sampled(cells, Sample("pairwise"), MOST)
    assert all(("e" in cell) == (cell["a"] == "p") for cell in made)


def test_pairwise_of_includes_alone_is_all_of_them(make: Any) -> None:
    cells = Cells(make.matrix({}, include=({"a": 1}, {"a": 2})))
    assert len(sampled(cells, Sample("pairwise"), MOST)) == 2


@pytest.mark.parametrize(
    "sample",
    [Sample(), Sample("first", 7), Sample("random", 7), Sample("random", 999), Sample("pairwise")],
)
def test_the_count_is_known_beforehand(make: Any, sample: Sample) -> None:
    cells = Cells(make.matrix(FOUR, include=({"a": "z"},)))
    assert sampled_count(cells, sample) == len(sampled(cells, sample, MOST))
