"""`checks:` of a recipe: `default`, or a list of names and of mappings with options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from relightflow.model.check import CheckSpec
from relightflow.model.recipe import Recipe
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import CheckRecord
from relightflow.plugins.registry import Registry
from relightflow.recipe.annotations import without
from relightflow.recipe.findings import Findings
from relightflow.recipe.parts import check_part
from relightflow.recipe.schema import part
from relightflow.recipe.tree import Branch, Leaf, Node, find, value
from relightflow.recipe.wording import listed, nearest, quote

DEFAULT = "default"


def default_checks(registry: Registry) -> tuple[CheckSpec, ...]:
    """Every check that says of itself that it belongs to `checks: default`, in the order of names."""
    records = [loaded.record for _, loaded in sorted(registry.checks.items())]
    return tuple(
        CheckSpec(record.name, record.severity, FrozenMap()) for record in records if record.default
    )


def with_checks(recipe: Recipe, registry: Registry) -> Recipe:
    """The recipe with its own checks, or the default ones where it has none."""
    return recipe if recipe.checks else replace(recipe, checks=default_checks(registry))


def read_checks(findings: Findings, registry: Registry) -> tuple[CheckSpec, ...]:
    """The recipe's checks; what is wrong with them is added to `findings`."""
    node = find(findings.tree, ("checks",))
    if isinstance(node, Leaf) and node.value == DEFAULT:
        return default_checks(registry)
    if not isinstance(node, Branch):
        return ()  # there are none, or the core's schema has said what is wrong
    found: dict[str, CheckSpec] = {}
    for index, item in enumerate(node.items):
        for spec in _read(findings, index, item, registry):
            if spec.type in found:
                findings.at_value(("checks", index), f"'{spec.type}' is listed twice")
            found.setdefault(spec.type, spec)
    return tuple(found.values())


def _read(findings: Findings, index: int, item: Node, registry: Registry) -> Iterator[CheckSpec]:
    """The entry as a spec; nothing where it names no check that there is."""
    given: Any = value(item)
    options: Mapping[str, Any] = given if isinstance(given, dict) else {"type": given}
    name = options.get("type")
    if not isinstance(name, str):
        return  # the core's schema has said so
    loaded = registry.checks.get(name)
    if loaded is None:
        known = sorted(registry.checks)
        steps = ("checks", index, "type") if isinstance(given, dict) else ("checks", index)
        near = nearest(name, known)
        findings.at_value(steps, f"unknown check {quote(name)}; installed: {listed(known)}{near}")
        return
    schema = part(loaded.record)
    check_part(findings, ("checks", index), schema, dict(options))
    yield _spec(loaded.record, value(without(item, schema)) if isinstance(given, dict) else options)


def _spec(record: CheckRecord, options: Mapping[str, Any]) -> CheckSpec:
    rest = {name: item for name, item in options.items() if name not in ("type", "severity")}
    severity = options.get("severity", record.severity)
    return CheckSpec(record.name, severity, FrozenMap(rest))
