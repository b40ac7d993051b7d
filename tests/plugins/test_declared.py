"""Models as data: what a file may say, and that only the operator's folder is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import UsageError
from relightflow.model.catalog import Price
from relightflow.plugins.declared import (
    add,
    declared_models,
    document,
    folder,
    parse,
    wire,
    with_workflow,
)
from relightflow.plugins.registry import load

GIVEN: dict[str, Any] = {
    "backend": "segmind",
    "model": "bg-removal",
    "image": "image",
    "price": [0.01, 0.02],
    "typical_seconds": 3,
    "parameters": [
        {"name": "mode", "type": "choice", "values": ["fast", "fine"], "default": "fast"},
        {"name": "size", "type": "integer", "minimum": 1, "maximum": 8},
    ],
}


def test_a_file_becomes_a_model_and_a_file_again() -> None:
    found, problems = parse(GIVEN)
    assert not problems
    assert found is not None
    assert found.model.price == Price(10_000, 20_000)
    assert wire(found.model) == {"image": "image"}
    assert parse(document(found))[0] == found


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"backend": ""}, "backend"),
        ({"model": "../x"}, "model"),
        ({"model": "Bg"}, "model"),
        ({"image": 5}, "image"),
        ({"price": "cheap"}, "price"),
        ({"price": [2, 1]}, "price"),
        ({"price": -1}, "price"),
        ({"price": None}, "price"),
        ({"typical_seconds": 0}, "typical_seconds"),
        ({"url": "https://elsewhere.example"}, "url"),
        ({"parameters": {}}, "parameters"),
        ({"parameters": [{"name": "A b"}]}, "parameters[0].name"),
        ({"parameters": [{"name": "a", "type": "list"}]}, "parameters[0].type"),
        ({"parameters": [{"name": "a", "type": "choice"}]}, "parameters[0].values"),
        ({"parameters": [{"name": "a", "type": "text", "values": [1]}]}, "parameters[0].values"),
        ({"parameters": [{"name": "a", "type": "number", "minimum": "0"}]}, "parameters[0]"),
        ({"parameters": [{"name": "a", "type": "integer", "default": "x"}]}, "parameters[0].default"),
        ({"parameters": [{"name": "a"}, {"name": "a"}]}, "parameters[1].name"),
        ({"parameters": [{"name": "a", "secret": 1}]}, "parameters[0].secret"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(change: dict[str, Any], field: str) -> None:
    found, problems = parse({**GIVEN, **change})
    assert found is None
    assert any(problem.startswith(f"{field}:") for problem in problems), problems


def test_a_declared_model_is_offered_beside_the_backend_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    found, _ = parse(GIVEN)
    assert found is not None
    path = add(found, folder())
    assert path.parent == tmp_path / "relightflow" / "models"
    record = load(found=tuple, declared=folder()).backend("segmind")
    assert record.models[0].name == "segmind-relighting", "the default stays"
    assert record.model("bg-removal") == found.model


@pytest.mark.parametrize(
    "text",
    [
        "{",
        json.dumps({**GIVEN, "backend": "preview"}),
        json.dumps({**GIVEN, "backend": "nobody"}),
        json.dumps({**GIVEN, "backend": "comfyui", "price": 0}),
    ],
)
def test_a_file_that_is_none_offers_nothing_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder().mkdir(parents=True)
    (folder() / "x.json").write_text(text)
    found = load(found=tuple, declared=folder())
    (warning,) = found.warnings
    assert "x.json was left out" in warning
    assert found.backend("segmind").model("bg-removal") is None


def test_a_model_of_the_backend_s_own_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    found, _ = parse({**GIVEN, "model": "segmind-relighting"})
    assert found is not None
    add(found, folder())
    model = load(found=tuple, declared=folder()).backend("segmind").model("segmind-relighting")
    assert model is not None
    assert model.price == Price(50_000, 50_000)


def test_no_folder_declares_nothing(tmp_path: Path) -> None:
    assert not list(declared_models(tmp_path / "none"))


def test_a_workflow_may_stand_in_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('{"1": {}}')
    assert with_workflow({"workflow": "w.json"}, tmp_path) == {"workflow": {"1": {}}}
    with pytest.raises(UsageError, match="cannot be read"):
        with_workflow({"workflow": "gone.json"}, tmp_path)
