"""Checks each part of the tree against its own schema: the core, every plugin's options, the sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from relightflow.model.catalog import Model
from relightflow.model.values import Scalar
from relightflow.plugins.records import BackendRecord, SinkRecord, SourceRecord
from relightflow.plugins.registry import Loaded, Registry
from relightflow.recipe.annotations import without
from relightflow.recipe.core import CORE, CORE_OF_SEVERAL, SAMPLES, VERSION
from relightflow.recipe.explain import complaints
from relightflow.recipe.findings import Findings
from relightflow.recipe.paths import outside
from relightflow.recipe.schema import DEFAULT_BACKEND, part
from relightflow.recipe.tree import Branch, Fields, Leaf, Node, Step, find, value
from relightflow.recipe.wording import describe, listed, nearest, plain, quote

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
    check_part(findings, (), _core(findings.tree))
    sample = find(findings.tree, ("sample",))
    strategy = find(findings.tree, ("sample", "strategy"))
    if isinstance(sample, Fields) and isinstance(strategy, Leaf) and strategy.value in SAMPLES:
        check_part(findings, ("sample",), SAMPLES[str(strategy.value)])


def _core(tree: Node) -> dict[str, Any]:
    return CORE_OF_SEVERAL if isinstance(find(tree, ("backend",)), Branch) else CORE


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
    tree = without(tree, _core(tree))
    assert isinstance(tree, Fields)
    items = dict(tree.items)
    known: tuple[tuple[str, Known], ...] = (
        ("sources", registry.sources), ("sinks", registry.sinks), ("backend", registry.backends)
    )  # fmt: skip
    for field, records in known:
        found = items.get(field)
        if isinstance(found, Branch):
            entries = (_entry_without(item, records, field) for item in found.items)
            items[field] = replace(found, items=tuple(entries))
        elif found is not None:
            items[field] = _entry_without(found, records)
    return replace(tree, items=items)


def _entry_without(entry: Node, known: Known, field: str = "") -> Node:
    named = find(entry, ("type",))
    assert isinstance(named, Leaf)
    return without(entry, part(known[str(named.value)].record, listed=field == "backend"))


@dataclass(frozen=True, slots=True)
class ChosenBackend:
    """An entry of `backend`, as far as it stands for something."""

    record: BackendRecord
    model: Model
    label: str
    """Its value of the axis `backend`."""


def check_backends(findings: Findings, registry: Registry) -> tuple[ChosenBackend, ...] | None:
    """The chosen backends and their models; None (and a problem) where one is no such thing."""
    node = find(findings.tree, ("backend",))
    if node is None:
        record = registry.backend(DEFAULT_BACKEND)
        return (ChosenBackend(record, record.models[0], record.name),)
    if not isinstance(node, Branch):
        only = _chosen(findings, ("backend",), registry)
        return (only,) if only else None
    entries = [_chosen(findings, ("backend", n), registry, True) for n in range(len(node.items))]
    _check_apart(findings, entries)
    _check_shares(findings, len(entries))
    found = tuple(entry for entry in entries if entry)
    return found if found and len(found) == len(entries) else None


def _chosen(
    findings: Findings, steps: tuple[Step, ...], registry: Registry, entry: bool = False
) -> ChosenBackend | None:
    found = _record(findings, steps, registry.backends)
    if not isinstance(found, BackendRecord):
        return None
    check_part(findings, steps, part(found, listed=entry))
    label = find(findings.tree, (*steps, "as")) if entry else None
    shown = str(label.value) if isinstance(label, Leaf) and label.value else found.name
    named = find(findings.tree, (*steps, "model"))
    if named is None:
        return ChosenBackend(found, found.models[0], shown)
    model = found.model(str(named.value)) if isinstance(named, Leaf) else None
    return ChosenBackend(found, model, shown) if model else None


def _check_apart(findings: Findings, entries: Sequence[ChosenBackend | None]) -> None:
    """Every entry is another model, with another label."""
    labels: dict[str, int] = {}
    models: dict[tuple[str, str], int] = {}
    for number, entry in enumerate(entries):
        if entry is None:
            continue
        pair = (entry.record.name, entry.model.name)
        same = models.setdefault(pair, number)
        if same != number:
            said = f"{' '.join(dict.fromkeys(pair))} is [{same}] already: its jobs would be the same ones"
            findings.at_value(("backend", number), said)
            continue
        before = labels.setdefault(entry.label, number)
        if before != number:
            said = f"has the label '{entry.label}' of [{before}]; give it another, such as as: {entry.label}-{number + 1}"
            findings.at_value(("backend", number), said)


def _check_shares(findings: Findings, count: int) -> None:
    """A backend's own cap lies within the recipe's."""
    cap = find(findings.tree, ("limits", "max_cost"))
    for number in range(count):
        steps = ("backend", number, "limits", "max_cost")
        own = find(findings.tree, steps)
        if not isinstance(own, Leaf) or not isinstance(cap, Leaf):
            continue
        if _number(own.value) > _number(cap.value) > 0:
            said = f"{plain(own.value, own.written)} is above limits.max_cost ({plain(cap.value, cap.written)}), which a backend's share cannot raise"
            findings.at_value(steps, said)


def _number(value: Scalar) -> float:
    return value if isinstance(value, int | float) else 0.0


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
