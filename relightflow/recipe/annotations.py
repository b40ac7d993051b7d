"""`description` and `x-…`: fields that a recipe may have wherever a mapping of ours stands.

They mean nothing to relightflow: `x-…` holds YAML anchors or what other programs want to note. They are
allowed by every schema and taken out before anything is made from the recipe, so no job key knows them.
A plugin's option or a model's parameter of the same name goes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relightflow.recipe.tree import Branch, Fields, Node

FREE = {"description": "For people; ignored."}
"""The schema of `description`."""
ALLOWED = {"^x-": {"description": "For other programs and YAML anchors; ignored."}}
"""`patternProperties` of every mapping."""
_LISTS, _SINGLE = ("anyOf", "oneOf", "allOf"), ("items", "if", "then", "else")


def is_annotation(name: str) -> bool:
    return name == "description" or name.startswith("x-")


def allow(schema: Any) -> Any:
    """A copy of `schema` that takes annotations in every mapping with a fixed set of fields."""
    if not isinstance(schema, Mapping):
        return schema
    found = dict(schema)
    for word in _SINGLE:
        if word in found:
            found[word] = allow(found[word])
    for word in _LISTS:
        if word in found:
            found[word] = [allow(one) for one in found[word]]
    if "properties" in found:
        found["properties"] = {name: allow(rule) for name, rule in found["properties"].items()}
    if found.get("additionalProperties") is False:
        found["properties"] = {**found.get("properties", {})}
        found["properties"].setdefault("description", FREE)
        found["patternProperties"] = ALLOWED | found.get("patternProperties", {})
    return found


def without(node: Node, schema: Any) -> Node:
    """`node`, which `schema` (made by `allow`) accepts, without its annotations."""
    if not isinstance(schema, Mapping):
        return node
    for word in _LISTS:
        for one in schema.get(word, ()):
            node = without(node, one)
    if isinstance(node, Branch) and "items" in schema:
        return replace(node, items=tuple(without(item, schema["items"]) for item in node.items))
    if not isinstance(node, Fields):
        return node
    rules: Mapping[str, Any] = schema.get("properties", {})
    fixed = schema.get("additionalProperties") is False
    kept = {
        name: without(item, rules.get(name))
        for name, item in node.items.items()
        if not (fixed and is_annotation(name) and rules.get(name, FREE) == FREE)
    }
    return replace(node, items=kept, keys={name: node.keys[name] for name in kept})
