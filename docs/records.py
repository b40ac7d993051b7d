"""Writes docs/reference/manifest.md and summary.md from the published schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docs.tables import table
from relightflow.recipe.published import published

NOTE = "<!-- Written by `python -m docs.generate` from schemas/{name}.schema.json. -->\n"

_MANIFEST = """# Manifest

`manifest.jsonl` records what was made from what. It is written to the run's folder and to every sink that
stores files. It is a JSON Lines file: the first record describes the recipe, then one record per output in
plan order, then one per rejected image. It contains no times and nothing that differs between two runs on the
same state, so it can be committed to git, and running a finished recipe again does not change it.

Credentials in URLs are removed before anything is written. `relightflow schema --part manifest` prints the
JSON Schema of a record.

"""

_SUMMARY = """# Summary

`summary.json` in the run's folder, and the output of `relightflow run --json`, describe how a run went:
times, retries, money and problems. The [manifest](manifest.md) describes its results.
`relightflow schema --part summary` prints the JSON Schema.

"""


def pages() -> dict[str, str]:
    """The pages by their path under docs/reference."""
    manifest = published("manifest-record")
    kinds = manifest["definitions"]
    parts = [NOTE.format(name="manifest-record"), _MANIFEST]
    for name in ("recipe", "output", "rejected"):
        about = kinds[name]["description"]
        parts.append(f'## Records with `"record": "{name}"`\n\n{about}\n\n')
        parts.append(_fields(kinds[name], kinds) + "\n")
    summary = published("summary")
    told = NOTE.format(name="summary") + _SUMMARY + _fields(summary, summary.get("definitions", {}))
    return {"manifest.md": "".join(parts).rstrip() + "\n", "summary.md": told}


def _fields(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    return table(("field", "present", "description"), _rows(schema, definitions, ""))


def _rows(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], above: str
) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", ())
    for name, given in schema.get("properties", {}).items():
        field = {**definitions.get(given.get("$ref", "").split("/")[-1], {}), **given}
        present = "always" if name in required else "optional"
        yield f"`{above}{name}`", present, _about(field)
        inside = field.get("items") if field.get("type") == "array" else field
        mark = f"{above}{name}[]." if field.get("type") == "array" else f"{above}{name}."
        if isinstance(inside, Mapping):
            yield from _rows(inside, definitions, mark)


def _about(field: Mapping[str, Any]) -> str:
    text = str(field.get("description", ""))
    if "enum" in field and text.count(":") < 2:
        text = f"{text} One of {', '.join(f'`{value}`' for value in field['enum'])}.".strip()
    if "const" in field:
        text = f"{text} Always `{field['const']}`.".strip()
    return text
