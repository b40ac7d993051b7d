from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow.model.values import FrozenMap
from relightflow.plan.keys import KeyMaker, job_key, key_of

SHA = "ab" * 32
SCALARS = st.one_of(
    st.text(max_size=8),
    st.integers(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
)
PARAMETERS = st.dictionaries(st.text(min_size=1, max_size=8), SCALARS, max_size=5)


@given(st.text(max_size=8), st.text(max_size=8), PARAMETERS, st.integers(0, 10**6))
def test_the_fast_way_gives_the_plain_definitions_key(
    backend: str, model: str, parameters: dict[str, Any], repeat: int
) -> None:
    maker = KeyMaker(backend, model)
    frozen = FrozenMap(parameters)
    fast = key_of(maker.head(SHA), maker.tail(frozen), f"{repeat}}}".encode())
    assert fast == job_key(backend, model, SHA, frozen, repeat)


@given(PARAMETERS, st.randoms())
def test_the_order_of_parameters_does_not_matter(parameters: dict[str, Any], random: Any) -> None:
    shuffled = list(parameters.items())
    random.shuffle(shuffled)
    one = job_key("b", "m", SHA, FrozenMap(parameters), 0)
    assert one == job_key("b", "m", SHA, FrozenMap(dict(shuffled)), 0)


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (0, -0.0), (10**16, 1e16)])
def test_the_spelling_of_a_number_does_not_matter(one: int, other: float) -> None:
    keys = {job_key("b", "m", SHA, FrozenMap({"p": v}), 0) for v in (one, other)}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (1, True), (0, False), (1, 1.5), ("a", "A"), ("\u00e9", "e\u0301")]
)
def test_different_values_are_different_jobs(one: Any, other: Any) -> None:
    keys = {job_key("b", "m", SHA, FrozenMap({"p": v}), 0) for v in (one, other)}
    assert len(keys) == 2


def test_every_part_matters() -> None:
    base = ("b", "m", SHA, FrozenMap({"p": 1}), 0)
    others: list[tuple[Any, ...]] = [
        ("c", *base[1:]),
        ("b", "n", *base[2:]),
        ("b", "m", "cd" * 32, *base[3:]),
        ("b", "m", SHA, FrozenMap({"q": 1}), 0),
        ("b", "m", SHA, FrozenMap({}), 0),
        (*base[:4], 1),
    ]
    keys = {job_key(*parts) for parts in [base, *others]}
    assert len(keys) == 1 + len(others)


def test_a_key_is_the_hash_of_this_text_for_ever() -> None:
    # users would pay again for everything: change this only with FORMAT, and FORMAT never
    text = (
        '{"backend":"segmind","format":1,"image":"abab","model":"segmind-relighting",'
        '"parameters":{"light_direction":"left","strength":1},"repeat":2}'
    )
    parameters = FrozenMap({"strength": 1.0, "light_direction": "left"})
    key = job_key("segmind", "segmind-relighting", "abab", parameters, 2)
    assert key == sha256(text.encode()).hexdigest()
