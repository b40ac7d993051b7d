"""Writes docs/reference/plugins.md: what comes with relightflow, from sources to executors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from docs.tables import table
from relightflow.model.catalog import Model, Parameter
from relightflow.model.light import LIGHT, LightTable
from relightflow.model.money import dollars
from relightflow.plugins.records import BackendRecord
from relightflow.plugins.registry import load
from relightflow.recipe.annotations import FREE
from relightflow.recipe.schema import part

QUOTE = '"'
NOTE = "<!-- Written by `python -m docs.generate` from the plugins' records and schemas. -->\n"

_INTRO = """# Sources, backends, sinks, checks and executors

The built-in sources, backends, sinks and checks: `type` in a recipe selects one. An executor is selected on the
command line, with [`run --executor`](../how-to/cluster.md). Plugins add others;
`relightflow plugins` lists what is installed, and the package that provides it.

"""


def pages() -> dict[str, str]:
    """The page by its path under docs/reference."""
    registry = load(found=lambda: ())
    parts = [NOTE, _INTRO]
    for title, loaded in (
        ("Sources", registry.sources),
        ("Backends", registry.backends),
        ("Sinks", registry.sinks),
        ("Checks", registry.checks),
    ):
        parts.append(f"## {title}\n\n")
        for name in sorted(loaded):
            record = loaded[name].record
            parts.append(f"### {name}\n\n{record.summary.rstrip('.')}.\n\n")
            parts.append(_options(part(record)))
            if isinstance(record, BackendRecord):
                parts += [_model(model) for model in record.models]
    parts.append("## Executors\n\n")
    for name in sorted(registry.executors):
        summary = registry.executors[name].record.summary
        parts.append(f"### {name}\n\n{summary.rstrip('.')}.\n\n")
    return {"plugins.md": "".join(parts).rstrip() + "\n"}


def _options(schema: Mapping[str, Any]) -> str:
    rows = [
        (
            f"`{name}`" + (" (required)" if name in schema.get("required", ()) else ""),
            _allowed(field),
            f"`{json.dumps(field['default']).strip(QUOTE)}`" if "default" in field else "–",
            field["description"],
        )
        for name, field in schema["properties"].items()
        if name not in ("type", "model") and field != FREE
    ]
    return table(("field", "allowed", "default", "description"), rows) + "\n" if rows else ""


def _allowed(field: Mapping[str, Any]) -> str:
    """What a field takes, in words; a schema with forms of its own is the words of each."""
    for forms in ("anyOf", "oneOf"):
        if forms in field:
            return "; or ".join(_allowed(form) for form in field[forms])
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return "list of texts"
    if field.get("type") == "object":
        known = ", ".join(f"`{key}`" for key in field.get("properties", {}))
        return f"mapping with {known}" if known else "mapping"
    words = {
        "string": "text",
        "integer": "integer",
        "number": "number",
        "boolean": "`true`, `false`",
    }
    word = words[field["type"]]
    if "minimum" in field and "maximum" in field:
        return f"{word} from {field['minimum']} to {field['maximum']}"
    return f"{word} from {field['minimum']}" if "minimum" in field else word


def _model(model: Model) -> str:
    price = model.price
    if price is None:
        cost = "price unknown"
    elif price.free:
        cost = "free"
    elif price.low == price.high:
        cost = f"{dollars(price.high)} USD per call"
    else:
        cost = f"{dollars(price.low)} to {dollars(price.high)} USD per call"
    facts = [cost]
    if model.typical_seconds:
        facts.append(f"about {model.typical_seconds:g} s")
    head = f"#### Model {model.name}\n\n{model.summary.rstrip('.') + ' ' if model.summary else ''}"
    rows = [_parameter(parameter) for parameter in model.parameters]
    shown = table(("parameter", "allowed", "default", "description"), rows)
    light = f"{_light(model.light)}\n" if model.light else ""
    return f"{head}({', '.join(facts)})\n\n{shown}\n{light}"


def _light(light: LightTable) -> str:
    """What a model makes of the vocabulary of light."""
    rows = []
    for axis, values in LIGHT.items():
        for value in values:
            row = light.row(axis, value)
            if row is None:
                rows.append((f"`{axis}: {value}`", "nothing", "none"))
                continue
            added = "added to " if row.parameter == light.words else ""
            rows.append((f"`{axis}: {value}`", f"{added}`{row.parameter}`: `{row.sent}`", row.fit))
    shown = table(("light", "what is sent", "fit"), rows)
    return f"Light (table version {light.version}; see `on_unsupported`):\n\n{shown}"


def _parameter(parameter: Parameter) -> tuple[str, str, str, str]:
    if parameter.required:
        default = "required"
    elif parameter.default is None:
        default = "not sent"
    else:
        default = f"`{json.dumps(parameter.default).strip(QUOTE)}`"
    allowed = ", ".join(f"`{v}`" for v in parameter.values) or parameter.range_text()
    if parameter.minimum is not None and parameter.minimum == parameter.maximum:
        allowed = f"`{parameter.minimum}`"
    return f"`{parameter.name}`", allowed, default, parameter.summary
