"""The emulator's own table of models against the adapter's: two readings of the same pages."""

from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.segmind.emulator.catalogue import CATALOGUE
from relightflow.backends.segmind.models import TABLE


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.model.name)
def test_adapter_and_emulator_read_the_same_facts(row: Any) -> None:
    entry = CATALOGUE[row.model.name]
    assert entry.image_field == row.image_field
    assert entry.model.price == row.model.price
    assert entry.model.typical_seconds == row.model.typical_seconds
    for parameter in row.model.parameters:
        ours = entry.model.parameter(parameter.name)
        assert ours is not None, parameter.name
        assert set(parameter.values) == set(ours.values)
        if parameter.default is not None:
            assert ours.default == parameter.default


def test_adapter_has_every_model() -> None:
    assert {row.model.name for row in TABLE} == set(CATALOGUE)
