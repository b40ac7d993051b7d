"""Models as rows, and how a provider gets images."""

from __future__ import annotations

import jsonschema
import pytest

from relightflow.backends.table import Delivery, ModelRow, row_of
from relightflow.model.catalog import Model
from relightflow.model.values import FrozenMap

TABLE = (
    ModelRow(Model("a", (), None), "image"),
    ModelRow(Model("b", (), None), "subject_image"),
)
ACME = Delivery("Acme", "an upload", "uploaded to Acme", "sent to Acme")


def test_a_row_is_found_by_its_models_name() -> None:
    assert row_of(TABLE, "b") is TABLE[1]
    assert row_of(TABLE, "c") is None


@pytest.mark.parametrize("delivery", ["upload", "inline", "presign", "url"])
def test_what_becomes_of_images_is_said_for_every_way(delivery: str) -> None:
    options = {"delivery": delivery}
    jsonschema.Draft7Validator(ACME.schema()).validate(options)
    assert "Acme" in ACME.disclosed(FrozenMap(options), "")
    assert ACME.disclosed(FrozenMap(), delivery) == ACME.disclosed(FrozenMap(options), "")


def test_no_other_way_is_taken() -> None:
    schema = jsonschema.Draft7Validator(ACME.schema(api={"enum": ["v1"]}))
    assert schema.is_valid({"api": "v1"})
    assert not schema.is_valid({"delivery": "pigeon"})
    assert not schema.is_valid({"key": "x"})
