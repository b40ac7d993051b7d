from __future__ import annotations

from dataclasses import replace

import pytest

from relightflow.backends.comfyui.graph import VERSION
from relightflow.backends.comfyui.models import MODELS, as_model
from relightflow.model.catalog import FREE, Model, Price
from relightflow.model.values import FrozenMap


def test_the_shipped_workflow_is_free_and_has_its_digest_in_every_job() -> None:
    (shipped,) = MODELS
    assert shipped.price == FREE
    sent = shipped.normalise(FrozenMap({"prompt": "dusk"}))
    assert len(str(sent[VERSION])) == 12
    version = shipped.parameter(VERSION)
    assert version is not None
    assert version.problem("another") is not None, "a recipe cannot choose it"


def test_a_workflow_that_cannot_be_filled_is_refused() -> None:
    with pytest.raises(ValueError, match="API format"):
        as_model(Model("m", (), FREE))


def test_a_server_of_one_s_own_has_no_price() -> None:
    blank = Model("m", (), FREE, wire=MODELS[0].wire)
    names = tuple(p for p in MODELS[0].parameters if p.name != VERSION)
    with pytest.raises(ValueError, match="costs nothing"):
        as_model(replace(blank, parameters=names, price=Price(1, 1)))
