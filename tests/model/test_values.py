from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from relightflow.model.values import FrozenMap, canonical_json, plain, thaw


def test_the_order_is_kept_for_printing_and_forgotten_for_equality() -> None:
    one, other = FrozenMap({"b": 1, "a": 2}), FrozenMap({"a": 2, "b": 1})
    assert list(one) == ["b", "a"]
    assert (one, hash(one)) == (other, hash(other))
    assert one == {"a": 2, "b": 1}
    assert one != {"a": 2}
    assert one != [("b", 1), ("a", 2)]


def test_everything_inside_is_frozen_and_the_original_is_let_go() -> None:
    given = {"list": [1, {"x": [2]}], "map": {"y": []}}
    found = FrozenMap(given)
    given["list"].append(3)  # type: ignore[attr-defined]  # a list, as written above
    assert found["list"] == (1, FrozenMap({"x": (2,)}))
    assert isinstance(hash(found), int), "hashable all the way down"


def test_it_cannot_be_written_to() -> None:
    with pytest.raises(TypeError):
        FrozenMap({"a": 1})["a"] = 2  # type: ignore[index]  # that it is refused is the point


def test_thawing_gives_back_what_was_frozen() -> None:
    given = {"list": [1, {"x": [2.5, None]}], "text": "a", "yes": True}
    thawed = thaw(FrozenMap(given))
    assert thawed == given
    assert type(thawed["list"]) is list
    assert type(thawed["list"][1]) is dict


def test_canonical_json_has_one_spelling() -> None:
    assert canonical_json({"b": (1, None), "ä": FrozenMap({"z": 1, "a": True})}) == (
        '{"b":[1,null],"\\u00e4":{"a":true,"z":1}}'
    )
    assert canonical_json(FrozenMap({"b": 1, "a": 2})) == canonical_json({"a": 2, "b": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"deep": [-float("inf")]}])
def test_canonical_json_refuses_what_json_cannot_say(value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)


def test_an_encoder_takes_mappings_and_nothing_else_that_it_does_not_know() -> None:
    assert json.dumps(FrozenMap({"a": (1,)}), default=plain) == '{"a": [1]}'
    assert json.dumps(MappingProxyType({"a": 1}), default=plain) == '{"a": 1}'
    with pytest.raises(TypeError, match="bytes is not a JSON value"):
        plain(b"")
