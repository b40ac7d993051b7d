"""Writes docs/reference/plugins.md: the sources, backends and sinks that come with relightflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docs.tables import table
from relightflow.model.catalog import Model, Parameter
from relightflow.model.money import dollars
from relightflow.plugins.records import BackendRecord
from relightflow.plugins.registry import load
from relightflow.recipe.schema import part

NOTE = "<!-- Written by `python -m docs.generate` from the plugins' records and schemas. -->\n"

_INTRO = """# Sources, backends and sinks

What comes with relightflow. `type` in a recipe chooses one; plugins add others, and
`relightflow plugins` lists what is installed and who brought it.

"""


def pages() -> dict[str, str]:
    """The page by its path under docs/reference."""
    registry = load(found=lambda: ())
    parts = [NOTE, _INTRO]
    for title, loaded in (
        ("Sources", registry.sources),
        ("Backends", registry.backends),
        ("Sinks", registry.sinks),
    ):
        parts.append(f"## {title}\n\n")
        for name in sorted(loaded):
            record = loaded[name].record
            parts.append(f"### {name}\n\n{record.summary.rstrip('.')}.\n\n")
            parts.append(_options(part(record)))
            if isinstance(record, BackendRecord):
                parts += [_model(model) for model in record.models]
    return {"plugins.md": "".join(parts).rstrip() + "\n"}


def _options(schema: Mapping[str, Any]) -> str:
    rows = [
        (
            f"`{name}`" + (" (required)" if name in schema.get("required", ()) else ""),
            _allowed(field),
            f"`{field['default']}`" if "default" in field else "",
            field.get("description", ""),
        )
        for name, field in schema["properties"].items()
        if name not in ("type", "model")
    ]
    return table(("field", "allowed", "default", ""), rows) + "\n" if rows else ""


def _allowed(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "minimum" in field and "maximum" in field:
        return f"{field['minimum']} to {field['maximum']}"
    if field.get("type") == "array":
        return "a list of texts"
    return {"string": "text", "integer": "an integer", "boolean": "`true`, `false`"}.get(
        str(field.get("type")), str(field.get("type", ""))
    )


def _model(model: Model) -> str:
    price = model.price
    if price is None:
        cost = "price unknown"
    elif price.free:
        cost = "free"
    elif price.low == price.high:
        cost = f"{dollars(price.high)} USD a call"
    else:
        cost = f"{dollars(price.low)} to {dollars(price.high)} USD a call"
    facts = [cost]
    if model.typical_seconds:
        facts.append(f"about {model.typical_seconds:g} s")
    head = f"#### Model {model.name}\n\n{model.summary + ' ' if model.summary else ''}"
    rows = [_parameter(parameter) for parameter in model.parameters]
    shown = table(("parameter", "allowed", "left out", ""), rows)
    return f"{head}({', '.join(facts)})\n\n{shown}\n"


def _parameter(parameter: Parameter) -> tuple[str, str, str, str]:
    if parameter.required:
        left_out = "is an error"
    elif parameter.default is None:
        left_out = "is not sent"
    else:
        left_out = f"`{parameter.default}`"
    allowed = ", ".join(f"`{v}`" for v in parameter.values) or parameter.range_text()
    return f"`{parameter.name}`", allowed, left_out, parameter.summary
