from __future__ import annotations

import pytest

from relightflow.backends.runware.models import MODELS, disclosed, task
from relightflow.model.values import FrozenMap


def test_a_cell_becomes_the_settings_of_its_provider() -> None:
    cell = MODELS[0].normalise(FrozenMap({"light_direction": "side", "light_type": "midday"}))
    made = task("bria:21@2", cell, "data:image/png;base64,AA==", "a-name")
    settings = {"edit": "relight", "lightDirection": "side", "lightType": "midday"}
    assert made["providerSettings"] == {"bria": settings}
    assert (made["taskUUID"], made["inputs"]) == ("a-name", {"image": "data:image/png;base64,AA=="})
    assert made["includeCost"] is True


def test_the_order_of_a_cell_changes_nothing() -> None:
    one = FrozenMap({"light_direction": "side", "light_type": "midday"})
    other = FrozenMap({"light_type": "midday", "light_direction": "side"})
    assert str(task("bria:21@2", one, "i", "u")) == str(task("bria:21@2", other, "i", "u"))


def test_a_model_that_is_not_in_the_table_is_no_task() -> None:
    with pytest.raises(KeyError):
        task("bria:0@0", FrozenMap(), "i", "u")


def test_what_leaves_the_machine_is_said() -> None:
    assert "Runware" in disclosed(FrozenMap(), "")
