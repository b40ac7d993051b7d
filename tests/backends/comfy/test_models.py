from __future__ import annotations

from relightflow.backends.comfy.models import MODELS, disclosed
from relightflow.model.values import FrozenMap


def test_what_the_recipe_leaves_out_of_a_model_is_not_sent() -> None:
    freepik = MODELS[1]
    assert freepik.normalise(FrozenMap({"prompt": "dusk"})) == FrozenMap({"prompt": "dusk"})
    assert freepik.price is None


def test_what_leaves_the_machine_is_said() -> None:
    assert "Comfy Router" in disclosed(FrozenMap(), "")
