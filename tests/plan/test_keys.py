from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relightflow import api
from relightflow.model.plan import Selection
from relightflow.model.values import FrozenMap
from relightflow.plan.keys import KeyMaker, job_key, key_of
from relightflow.plan.outputs import outputs
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import load
from relightflow.store.state_dir import StateDir

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


@pytest.mark.parametrize(
    ("backend", "model", "image", "parameters", "repeat", "key"),
    [
        ("preview", "preview", "a" * 64,
         {"light_direction": "left", "light_intensity": "medium", "light_temperature": "neutral",
          "light_type": "ambient"},
         0, "67b3d28e7a98e599271c2513413781d79ce0c63ab5ac3ccd0bc1667f109e07b0"),
        ("segmind", "segmind-relighting", "0123456789abcdef" * 4,
         {"light_direction": "top", "light_intensity": "mood", "light_temperature": "sunset",
          "light_type": "softbox"},
         3, "07c557afdc30df2337f89c30ffc2ba0a048458b68eefdfd1061bc30a43d8699b"),
        ("segmind", "ic-light", "a" * 64,
         {"prompt": "l\u00e4mp \u2603", "cfg": 2.5, "seed": 42, "steps": 25, "width": 512,
          "height": 640, "highres_scale": 1.5},
         1, "f23a53ef7427fab0bc80abd5a8abed38916fa93da461e021cce3c03cd2ff14bf"),
    ],
)  # fmt: skip
def test_keys_are_those_of_0_1(
    backend: str, model: str, image: str, parameters: dict[str, Any], repeat: int, key: str
) -> None:
    assert job_key(backend, model, image, FrozenMap(parameters), repeat) == key


@pytest.mark.parametrize(
    ("recipe", "jobs", "digest"),
    [
        ("quickstart", 24, "842572a2fa441cf50929112644390b8f34a53c8625f68e7ab5248c838e110333"),
        ("sweep", 256, "cc347709e853e69725c9e5b00be483aab4252004ebce4eb8a3e748548ae5beac"),
        ("pairwise", 48, "da50bf5be797b188e5f1b1e6def80879f69904ff1d4e79b153429ab8533c5f78"),
        ("paid", 18, "bb9d72f7d62933c35e4030a8c55993356b050c777c8a374936a5a292ff9efe0d"),
    ],
)
def test_the_shipped_recipes_make_the_jobs_of_0_1(
    tmp_path: Path, recipe: str, jobs: int, digest: str
) -> None:
    """sha256 over all job keys in plan order, as relightflow 0.1.0 made them."""
    registry = load(found=lambda: ())
    loaded = api.load(Path(__file__).parents[2] / f"recipes/{recipe}.yaml", registry)
    plan = api.plan(loaded, registry, Selection(), OperatorPolicy(), StateDir(tmp_path))
    keys = [output.job.key for output in outputs(plan)]
    assert (len(keys), sha256("".join(keys).encode()).hexdigest()) == (jobs, digest)
