"""Checks each part of the tree against its own schema: the core, every plugin's options, the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from relightflow.model.catalog import Model
from relightflow.plugins.records import BackendRecord, SinkRecord, SourceRecord
from relightflow.plugins.registry import Loaded, Registry
from relightflow.recipe.annotations import without
from relightflow.recipe.core import CORE, SAMPLES, VERSION
from relightflow.recipe.explain import complaints
from relightflow.recipe.findings import Findings
from relightflow.recipe.paths import outside
from relightflow.recipe.schema import DEFAULT_BACKEND, part
from relightflow.recipe.tree import Branch, Fields, Leaf, Node, Step, find, value
from relightflow.recipe.wording import describe, listed, nearest, quote

Known = (
    Mapping[str, Loaded[SourceRecord]]
    | Mapping[str, Loaded[SinkRecord]]
    | Mapping[str, Loaded[BackendRecord]]
)


def is_foreign(findings: Findings) -> bool:
    """Whether this is no recipe, or one of a later format: nothing else that we would say holds."""
    if not isinstance(findings.tree, Fields):
        found_there = describe(value(findings.tree))
        findings.at_value((), f"a recipe is a mapping of fields, not {found_there}")
        return True
    found = find(findings.tree, ("version",))
    if not isinstance(found, Leaf) or not isinstance(found.value, int) or found.value <= VERSION:
        return False
    findings.at_value(
        ("version",),
        f"the recipe requires a newer relightflow (format {found.value}; this one supports "
        f"{VERSION}): upgrade relightflow",
    )
    return True


def check_core(findings: Findings) -> None:
    """Every field but the options of plugins."""
    check_part(findings, (), CORE)
    sample = find(findings.tree, ("sample",))
    strategy = find(findings.tree, ("sample", "strategy"))
    if isinstance(sample, Fields) and isinstance(strategy, Leaf) and strategy.value in SAMPLES:
        check_part(findings, ("sample",), SAMPLES[str(strategy.value)])


def check_entries(findings: Findings, field: str, known: Known) -> None:
    """Every entry of `sources` or `sinks`, by its own plugin's schema."""
    entries = find(findings.tree, (field,))
    schemas: dict[str, dict[str, Any]] = {}
    for index in range(len(entries.items) if isinstance(entries, Branch) else 0):
        steps = (field, index)
        record = _record(findings, steps, known)
        if record is not None:
            schema = schemas.get(record.name) or schemas.setdefault(record.name, part(record))
            check_part(findings, steps, schema)


def without_annotations(tree: Node, registry: Registry) -> Node:
    """A checked recipe without the fields that are for people and other programs."""
    tree = without(tree, CORE)
    assert isinstance(tree, Fields)
    items = dict(tree.items)
    known: tuple[tuple[str, Known], ...] = (
        ("sources", registry.sources), ("sinks", registry.sinks), ("backend", registry.backends)
    )  # fmt: skip
    for field, records in known:
        found = items.get(field)
        if isinstance(found, Branch):
            entries = (_entry_without(item, records) for item in found.items)
            items[field] = replace(found, items=tuple(entries))
        elif found is not None:
            items[field] = _entry_without(found, records)
    return replace(tree, items=items)


def _entry_without(entry: Node, known: Known) -> Node:
    named = find(entry, ("type",))
    assert isinstance(named, Leaf)
    return without(entry, part(known[str(named.value)].record))


def check_backend(findings: Findings, registry: Registry) -> tuple[BackendRecord, Model] | None:
    """The chosen backend and model; None (and a problem) where there is no such thing."""
    if find(findings.tree, ("backend",)) is None:
        record = registry.backend(DEFAULT_BACKEND)
        return record, record.models[0]
    found = _record(findings, ("backend",), registry.backends)
    if not isinstance(found, BackendRecord):
        return None
    check_part(findings, ("backend",), part(found))
    named = find(findings.tree, ("backend", "model"))
    if named is None:
        return found, found.models[0]
    model = found.model(str(named.value)) if isinstance(named, Leaf) else None
    return (found, model) if model else None


def _record(
    findings: Findings, steps: tuple[Step, ...], known: Known
) -> SourceRecord | SinkRecord | BackendRecord | None:
    named = find(findings.tree, (*steps, "type"))
    if not isinstance(named, Leaf) or not _text(named):
        return None  # the core's schema has said so
    loaded = known.get(str(named.value))
    if loaded:
        return loaded.record
    word = {"sources": "source", "sinks": "sink"}.get(str(steps[0]), "backend")
    names = sorted(known)
    near = nearest(named.value, names)
    message = f"unknown {word} {quote(named.value)}; installed: {listed(names)}{near}"
    findings.at_value((*steps, "type"), message)
    return None


def _text(node: Leaf) -> bool:
    return isinstance(node.value, str)


def check_part(
    findings: Findings, steps: tuple[Step, ...], schema: dict[str, Any], data: Any = None
) -> None:
    """What stands at `steps`, by its schema and the project's bounds. `data`: what it stands for, where it
    is a short form."""
    node = find(findings.tree, steps)
    assert node is not None
    data = value(node) if data is None else data
    for below, why in outside(data, schema, findings.project):
        path = find(node, below)
        assert isinstance(path, Leaf)
        findings.at_value((*steps, *below), f"{quote(path.value)} {why}")

    def written(below: tuple[Step, ...]) -> str:
        found = find(node, below)
        return found.written if isinstance(found, Leaf) else ""

    for complaint in complaints(data, schema, written):
        at = findings.at_key if complaint.key else findings.at_value
        at((*steps, *complaint.steps), complaint.message)
