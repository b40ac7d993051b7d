"""The recipe schema as a whole, draft-07: the core's part and the part of every plugin.

Editors read it, so it is shaped for them: `type` offers what is installed, and if/then brings the
fields of the chosen plugin and the axes of the chosen model. The loader uses the same parts, but
chooses the branch in code (`part`), so that a problem names the branch that was meant.
A plugin's part must stand for itself: no `$ref`, no `$id`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any

from relightflow.model.catalog import Model, Parameter
from relightflow.model.values import thaw
from relightflow.plugins.records import BackendRecord, CheckRecord, SinkRecord, SourceRecord
from relightflow.plugins.registry import Registry
from relightflow.recipe.annotations import ALLOWED, FREE, allow
from relightflow.recipe.core import BACKEND_ENTRY, CORE, SAMPLES, SCALAR
from relightflow.recipe.paths import keep_inside

_DRAFT = "http://json-schema.org/draft-07/schema#"
DEFAULT_BACKEND = "preview"

Record = SourceRecord | BackendRecord | SinkRecord | CheckRecord
_NAME = {
    "type": "string",
    "minLength": 1,
    "maxLength": 1024,
    "description": "Path of each output, such as {image.stem}/{light_direction}.{ext}. Fields: every axis, image.name, image.stem, image.folder, backend, key, repeat, index, recipe, ext.",
}


def part(record: Record, listed: bool = False) -> dict[str, Any]:
    """The schema of one entry of `sources` or `sinks`, or of `backend`, with what we add to it. `listed`:
    of a backend in a list."""
    schema: dict[str, Any] = thaw(record.schema)
    schema.setdefault("type", "object")
    schema.setdefault("additionalProperties", False)
    ours: dict[str, Any] = {"type": {"const": record.name, "description": record.summary}}
    if isinstance(record, BackendRecord):
        ours["model"] = {
            "enum": [model.name for model in record.models],
            "default": record.models[0].name,
            "description": _summaries(record.models) or "Model; the first is the default.",
        }
    if isinstance(record, CheckRecord):
        ours["severity"] = {
            "enum": ["info", "warn", "fail"],
            "default": record.severity,
            "description": "What a failure means: info is only recorded, warn is told, fail ends with "
            "exit code 1.",
        }
    properties = schema.get("properties", {})
    if listed:
        properties = {**BACKEND_ENTRY, **properties}
    if isinstance(record, SinkRecord) and record.takes_names and "name" not in properties:
        properties = {**properties, "name": _NAME}
    schema["properties"] = ours | keep_inside(properties)
    schema["required"] = ["type", *(r for r in schema.get("required", ()) if r != "type")]
    allowed: dict[str, Any] = allow(schema)
    return allowed


def compose_schema(registry: Registry) -> dict[str, Any]:
    """The whole recipe schema for what `registry` holds; the same for the same plugins."""
    core = copy.deepcopy(CORE)
    fields = core["properties"]
    fields["sources"]["items"] = _chosen(loaded.record for loaded in registry.sources.values())
    fields["sinks"]["items"] = _chosen(loaded.record for loaded in registry.sinks.values())
    checks = sorted((loaded.record for loaded in registry.checks.values()), key=_by_name)
    if checks:
        names = [check.name for check in checks]
        fields["checks"]["anyOf"][1]["items"] = {"anyOf": [{"enum": names}, _chosen(checks)]}
    backends = sorted((loaded.record for loaded in registry.backends.values()), key=_by_name)
    about = fields["backend"]["description"]
    entry = _chosen(backends, listed=True)
    several = {"type": "array", "minItems": 1, "maxItems": 100, "items": entry}
    fields["backend"] = {
        "description": about,
        "type": ["object", "array"],
        "if": {"type": "array"},  # so that an editor marks the place in the entry
        "then": several,
        "else": _chosen(backends),
    }
    fields["sample"] = {**fields["sample"], "allOf": _samples()}
    fields["matrix"] |= {
        "properties": {
            "exclude": {**_ENTRIES, "description": "Cells to remove: those with all these values."},
            "include": {
                **_ENTRIES,
                "description": "Values to add to cells that they do not overwrite; else new cells.",
            },
        }
    }
    whole = {
        "$schema": _DRAFT,
        "$comment": "Written by `relightflow schema > schemas/recipe.schema.json`; do not edit.",
        "title": "A relightflow recipe",
        **core,
        "allOf": [_axes(backend, model) for backend in backends for model in backend.models],
    }
    allowed: dict[str, Any] = allow(whole)
    return allowed


def schema_text(registry: Registry) -> str:
    """The same as a file: what `relightflow schema` prints and schemas/recipe.schema.json holds."""
    return json.dumps(compose_schema(registry), indent=2, ensure_ascii=False) + "\n"


_ENTRIES = {
    "type": "array",
    "items": {
        "type": "object",
        "minProperties": 1,
        "properties": {"description": FREE},
        "patternProperties": ALLOWED,
        "additionalProperties": SCALAR,
    },
}


def _by_name(record: Record) -> str:
    return record.name


def _chosen(records: Iterable[Record], listed: bool = False) -> dict[str, Any]:
    """An object whose `type` decides what else it holds."""
    known = sorted(records, key=_by_name)
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": [r.name for r in known], "description": _summaries(known)}},
        "allOf": [{"if": _is("type", r.name), "then": part(r, listed)} for r in known],
    }


def _summaries(things: Iterable[Record | Model]) -> str:
    return " ".join(f"{thing.name}: {thing.summary}." for thing in things if thing.summary)


def _samples() -> list[dict[str, Any]]:
    return [{"if": _is("strategy", name), "then": rule} for name, rule in SAMPLES.items()]


def _is(field: str, value: str) -> dict[str, Any]:
    return {"properties": {field: {"const": value}}, "required": [field]}


def _axes(backend: BackendRecord, model: Model) -> dict[str, Any]:
    """The axes that this model has, where the recipe names it (or leaves it out and it is meant)."""
    chosen: dict[str, Any] = {
        "type": "object",  # a list has the axes of several
        "properties": {"type": {"const": backend.name}},
        "required": ["type"],
    }
    chosen["properties"]["model"] = {"const": model.name}
    default = model is backend.models[0]
    if not default:
        chosen["required"].append("model")
    required = ["backend"] if not (default and backend.name == DEFAULT_BACKEND) else []
    values = {p.name: _value(p) for p in model.axes}
    entries = {
        "type": "array",
        "items": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": values,
        },
    }
    axes = {p.name: _axis(p) for p in model.axes}
    fields = axes | {"exclude": entries, "include": entries}
    return {
        "if": {"properties": {"backend": chosen}, "required": required},
        "then": {"properties": {"matrix": {"additionalProperties": False, "properties": fields}}},
    }


def _axis(parameter: Parameter) -> dict[str, Any]:
    value = _value(parameter)
    forms = [value, {"type": "array", "minItems": 1, "uniqueItems": True, "items": value}]
    if parameter.kind == "choice":
        forms.append({"const": "all", "description": "Every allowed value."})
    about: dict[str, Any] = {"description": parameter.summary} if parameter.summary else {}
    if parameter.default is not None:
        about["default"] = parameter.default
    return {**about, "anyOf": forms}


def _value(parameter: Parameter) -> Mapping[str, Any]:
    if parameter.kind == "choice":
        return {"enum": list(parameter.values)}
    if parameter.kind == "text":
        return {"type": "string"}
    bounds = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    if parameter.step and not (parameter.minimum or 0) % parameter.step:
        bounds["multipleOf"] = parameter.step
    return {"type": parameter.kind} | {k: v for k, v in bounds.items() if v is not None}
