from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.replicate import models
from relightflow.backends.replicate.emulator.predictions import VERSIONS
from relightflow.model.light import LIGHT
from relightflow.model.values import FrozenMap

IC_LIGHT, QWEN = models.TABLE


def test_the_emulator_read_the_same_version() -> None:
    assert {IC_LIGHT.version: IC_LIGHT.model.name} == VERSIONS


def test_sides_are_exact_and_all_else_goes_into_words() -> None:
    light = IC_LIGHT.model.light
    assert light is not None
    fits = {value: light.row("light_direction", value) for value in LIGHT["light_direction"]}
    assert {v: r.fit for v, r in fits.items() if r} == {
        "left": "exact", "right": "exact", "top": "exact", "back": "near",
    }  # fmt: skip
    sent = IC_LIGHT.model.normalise(
        FrozenMap({"light_direction": "left", "light_type": "softbox", "prompt": "a bottle"})
    )
    assert sent["light_source"] == "Left Light"
    assert sent["prompt"] == "a bottle, soft studio light of a softbox"
    assert "seed" not in sent, "another each time, so that repeats differ"


@pytest.mark.parametrize(
    ("seconds", "cost"),
    [(10, 9750), (10.0001, 9751), (0, 0), (None, None), ("3", None), (-1, None), (True, None)],
)
def test_a_call_costs_its_seconds_rounded_up(seconds: Any, cost: int | None) -> None:
    assert IC_LIGHT.cost(seconds) == cost


def test_the_deadline_bounds_the_price_and_what_is_not_known_is_not_guessed() -> None:
    assert IC_LIGHT.model.price is not None
    assert IC_LIGHT.model.price.high == IC_LIGHT.cost(models.DEADLINE)
    assert (QWEN.model.price, QWEN.cost(10)) == (None, None)


def test_a_prediction_is_known_by_its_version_else_by_its_name() -> None:
    assert models.named("zsxkib/ic-light", IC_LIGHT.version) == "zsxkib/ic-light"
    assert models.named(None, IC_LIGHT.version) == "zsxkib/ic-light"
    assert models.named("a/b", "hidden") == "a/b"
    assert models.named(None, None) == ""
