"""What plugins are loaded, in plain words and as a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relightflow.model.catalog import Model
from relightflow.plugins.records import (
    BackendRecord,
    CheckRecord,
    ExecutorRecord,
    SinkRecord,
    SourceRecord,
)
from relightflow.plugins.registry import Loaded, Registry
from relightflow.report import escape, table
from relightflow.report.json import VERSION
from relightflow.report.text import price

_One = (
    Loaded[SourceRecord]
    | Loaded[BackendRecord]
    | Loaded[SinkRecord]
    | Loaded[CheckRecord]
    | Loaded[ExecutorRecord]
)


def plugins(found: Registry) -> str:
    rows = []
    for kind, group in _groups(found):
        for name, loaded in sorted(group.items()):
            record = loaded.record
            rows.append(_row(kind, name, loaded.plugin, record.summary))
            if isinstance(record, BackendRecord):
                rows += [
                    _row("  model", model.name, "", price_of(model)) for model in record.models
                ]
    return "\n".join(table.measured(("kind", "name", "from", "what"), rows))


def document(found: Registry) -> dict[str, Any]:
    return {
        "kind": "plugins",
        "version": VERSION,
        "plugins": list(found.plugins),
        "left_out": list(found.warnings),
        **{
            f"{kind}s": [
                {"name": name, "summary": one.record.summary, "plugin": one.plugin}
                | _models(one.record)
                for name, one in sorted(group.items())
            ]
            for kind, group in _groups(found)
        },
    }


def _groups(found: Registry) -> tuple[tuple[str, Mapping[str, _One]], ...]:
    return (
        ("source", found.sources),
        ("backend", found.backends),
        ("sink", found.sinks),
        ("check", found.checks),
        ("executor", found.executors),
    )


def _row(*cells: str) -> tuple[str, ...]:
    return tuple(map(escape.terminal, cells))


def price_of(model: Model) -> str:
    """What a call costs and what the model does, in one line."""
    each = model.by_size.unit if model.by_size else model.price
    cost = "price unknown" if each is None else price(each)
    if model.price and not model.price.free:
        cost += " per megapixel" if model.by_size else " per job"
    return f"{cost}; {model.summary}" if model.summary else cost


def _models(record: object) -> dict[str, Any]:
    if not isinstance(record, BackendRecord):
        return {}
    return {"models": [model.name for model in record.models]}
