from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from relightflow.backends.emulator.catalogue import CatalogueModel, declared, missing, refused
from relightflow.errors import UsageError
from relightflow.model.catalog import Model, Parameter, Price
from relightflow.model.money import micros

ENTRY = CatalogueModel(
    Model(
        name="lamp",
        parameters=(Parameter("side", values=("left", "right"), required=True),),
        price=Price(micros("0.033"), micros("0.333")),
    ),
    "image",
)


def test_price_in_a_range_is_drawn_by_seed() -> None:
    draws = {ENTRY.cost(Random(seed), {}) for seed in range(50)}
    assert len(draws) > 40
    assert micros("0.033") <= min(draws) <= max(draws) <= micros("0.333")
    assert ENTRY.cost(Random(3), {}) == ENTRY.cost(Random(3), {})
    assert ENTRY.cost(Random(3), {"lamp": 7}) == 7


def test_what_a_request_lacks_and_what_is_wrong_in_it_is_named() -> None:
    assert missing(ENTRY, {"side": "left"}) == "image"
    assert missing(ENTRY, {"image": "x"}) == "side"
    assert missing(ENTRY, {"image": "x", "side": "left"}) is None
    assert "must be a uri" in str(refused(ENTRY, {"image": 3}))
    assert "side" in str(refused(ENTRY, {"image": "x", "side": "up"}))
    assert refused(ENTRY, {"image": "x", "side": "left", "more": 1}) is None


def test_a_declared_model_that_cannot_be_read_is_an_error_in_words(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        declared([file])
