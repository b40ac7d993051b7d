from __future__ import annotations

from relightflow.backends.fal.emulator.queue import PRICES
from relightflow.backends.fal.models import DELIVERY, MODELS, TABLE
from relightflow.backends.table import row_of
from relightflow.model.catalog import Price
from relightflow.model.values import FrozenMap


def test_prices_are_those_that_the_emulator_charges() -> None:
    assert {m.name: m.price and m.price.high for m in MODELS} == dict(PRICES)


def test_a_model_charged_by_size_costs_more_for_a_larger_image() -> None:
    row = row_of(TABLE, "fal-ai/iclight-v2")
    assert row is not None
    by_size = row.model.by_size
    assert by_size is not None
    assert by_size.call(1_000_000) == Price(95_367, 100_000)
    assert by_size.call(12_000_000).high == 1_200_000
    assert by_size.call(12_000_000, "square_hd").low == 100_000, "the result may be what counts"


def test_what_becomes_of_images_is_told_as_they_are_delivered() -> None:
    assert "public address" in DELIVERY.disclosed(FrozenMap(), "")
    assert "inside each request" in DELIVERY.disclosed(FrozenMap({"delivery": "inline"}), "")
