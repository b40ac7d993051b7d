"""Bria's relighting, whatever a provider calls its values."""

from __future__ import annotations

import pytest

from relightflow.backends import bria
from relightflow.model.catalog import Model
from relightflow.model.values import FrozenMap

SHORT = ("midday", "spotlight on subject", "overcast light", "harsh studio lighting")


@pytest.mark.parametrize("types", [bria.TYPES, SHORT])
def test_light_is_sent_in_the_providers_own_words(types: tuple[str, ...]) -> None:
    model = Model("relight", bria.parameters(types), None, light=bria.light(types))
    for word in ("softbox", "sunlight", "spotlight", "ambient"):
        assert model.normalise(FrozenMap({"light_type": word}))["light_type"] in types
    assert model.normalise(FrozenMap({"light_direction": "top"}))["light_direction"] == "top-down"
