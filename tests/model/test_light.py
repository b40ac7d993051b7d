"""What a model is sent for the four axes of light."""

from __future__ import annotations

import pytest

from relightflow.model.catalog import Model, Parameter
from relightflow.model.light import LIGHT, LIGHT_PHRASES, LightTable
from relightflow.model.values import FrozenMap
from relightflow.plugins.registry import load

TABLE = LightTable.of(
    1,
    {
        "light_direction": {"left": ("from", "L", "exact"), "back": ("text", "from behind")},
        "light_type": {"softbox": ("kind", "soft"), "ambient": ("kind", "soft")},
        "light_temperature": {"warm": ("text", "warm")},
    },
    words="text",
)
MODEL = Model(
    "lamp",
    (
        Parameter("text", "text"),
        Parameter("from", values=("L", "R")),
        Parameter("kind", values=("soft", "hard"), default="hard"),
    ),
    None,
    light=TABLE,
)


def sent(**cell: str) -> dict[str, object]:
    return dict(MODEL.normalise(FrozenMap(cell)))


def test_a_value_is_sent_in_the_models_own_parameters() -> None:
    assert sent(light_direction="left", light_type="softbox") == {"from": "L", "kind": "soft"}


def test_phrases_follow_the_text_in_the_order_of_the_vocabulary() -> None:
    cell = {"light_temperature": "warm", "text": "a cup.", "light_direction": "back"}
    assert sent(**cell)["text"] == "a cup, from behind, warm"
    assert sent(light_temperature="warm")["text"] == "warm"


def test_the_models_own_parameters_stay_as_they_are() -> None:
    assert sent(text="a cup", kind="soft") == {"text": "a cup", "kind": "soft"}


def test_axes_are_those_that_can_be_done_and_the_parameters() -> None:
    names = [parameter.name for parameter in MODEL.axes]
    assert names == ["light_direction", "light_temperature", "light_type", "text", "from", "kind"]
    direction = MODEL.axis("light_direction")
    assert direction is not None
    assert direction.values == LIGHT["light_direction"]
    assert MODEL.axis("light_intensity") is None


def test_an_axis_that_the_model_has_itself_takes_both_vocabularies() -> None:
    own = Parameter("light_type", values=("studio", "ambient"))
    model = Model(
        "lamp",
        (own,),
        None,
        light=LightTable.of(1, {"light_type": {"softbox": ("light_type", "studio")}}),
    )
    axis = model.axis("light_type")
    assert axis is not None
    assert axis.values == ("studio", "ambient", "softbox", "sunlight", "spotlight")
    assert model.normalise(FrozenMap({"light_type": "softbox"})) == {"light_type": "studio"}
    assert model.normalise(FrozenMap({"light_type": "ambient"})) == {"light_type": "ambient"}


def test_every_value_has_words() -> None:
    assert set(LIGHT_PHRASES) == {
        (axis, value) for axis, values in LIGHT.items() for value in values
    }


@pytest.mark.parametrize("name", sorted(load(found=lambda: ()).backends))
def test_every_table_speaks_of_the_vocabulary_and_sends_what_the_model_takes(name: str) -> None:
    for model in load(found=lambda: ()).backends[name].record.models:
        for row in model.light.rows if model.light else ():
            assert row.value in LIGHT[row.axis]
            parameter = model.parameter(row.parameter)
            assert parameter is not None
            assert parameter.problem(row.sent) is None


def test_a_model_that_is_told_in_words_can_do_everything_nearly() -> None:
    table = LightTable.in_words("prompt")
    assert table.axes() == tuple(LIGHT)
    assert {row.fit for row in table.rows} == {"near"}
    sent = table.sent(FrozenMap({"prompt": "a cup", "light_type": "sunlight"}))
    assert sent["prompt"] == "a cup, direct sunlight"


def test_a_model_that_knows_three_sides_is_told_all_else_in_words() -> None:
    table = LightTable.with_sides("side", "L", "R", "T", "prompt")
    assert table.axes() == tuple(LIGHT)
    fits = {
        row.value: (row.parameter, row.sent, row.fit)
        for row in table.rows
        if row.axis == "light_direction"
    }
    assert {value: fits[value] for value in ("left", "right", "top")} == {
        "left": ("side", "L", "exact"), "right": ("side", "R", "exact"), "top": ("side", "T", "exact"),
    }  # fmt: skip
    assert (fits["back"][0], fits["back"][2]) == ("prompt", "near")
    assert len({(row.axis, row.value) for row in table.rows}) == len(table.rows) == 16
