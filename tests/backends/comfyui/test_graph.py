from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.comfyui.graph import digest, filled, problems
from relightflow.model.values import FrozenMap

WIRE: dict[str, Any] = {
    "image": "1.image",
    "output": "3",
    "inputs": {"prompt": "2.text", "side": {"at": "2.side", "values": {"left": "Left Light"}}},
    "workflow": {
        "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
        "2": {"class_type": "Light", "inputs": {"text": "", "side": "", "steps": 9}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0]}},
    },
}
NAMES = ("prompt", "side")


def test_a_job_fills_the_places_that_the_declaration_names_and_no_others() -> None:
    cell = FrozenMap({"prompt": "dusk", "side": "left", "steps": 1, "workflow": "abc"})
    graph = filled(WIRE, cell, "relightflow/a.png")
    assert graph["1"]["inputs"]["image"] == "relightflow/a.png"
    assert graph["2"]["inputs"] == {"text": "dusk", "side": "Left Light", "steps": 9}
    assert WIRE["workflow"]["1"]["inputs"]["image"] == "x.png", "the declaration stays as it is"


def test_another_graph_is_another_digest() -> None:
    other = {**WIRE, "image": "2.side"}
    assert digest(WIRE) != digest(other)
    assert digest(WIRE) == digest(dict(reversed(WIRE.items())))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"workflow": {}}, "workflow"),
        ({"workflow": {"nodes": []}}, "Export (API)"),
        ({"output": "9"}, "output"),
        ({"image": "9.image"}, "image"),
        ({"image": "1"}, "image"),
        ({"inputs": {"prompt": "2.text"}}, "inputs.side"),
        ({"inputs": {**WIRE["inputs"], "more": "2.text"}}, "inputs.more"),
    ],
)
def test_what_cannot_be_filled_is_told(change: dict[str, Any], words: str) -> None:
    (problem,) = problems({**WIRE, **change}, NAMES)
    assert words in problem
    assert not problems(WIRE, NAMES)
