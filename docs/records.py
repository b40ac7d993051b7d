"""Writes docs/reference/manifest.md and summary.md from the published schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docs.tables import table
from relightflow.recipe.published import published

NOTE = "<!-- Written by `python -m docs.generate` from schemas/{name}.schema.json. -->\n"

_MANIFEST = """# The manifest

`manifest.jsonl` stands in the run's folder and beside the images of every sink that holds files. It
is JSON Lines: the first line is about the recipe, then one line an output in the plan's order, then
the images that could not be used. It holds no clock time and nothing that differs between two runs of
the same state. So it can be committed to git, and running a finished recipe again changes no byte.

Credentials in URLs are taken out before anything is written. `relightflow schema manifest-record`
prints the schema of a line.

"""

_SUMMARY = """# The summary

`summary.json` in the run's folder, and what `relightflow run --json` prints: how a run went, with times,
retries, money and what did not work. The manifest says what was made; this says how it came about.
`relightflow schema summary` prints the schema.

"""


def pages() -> dict[str, str]:
    """The pages by their path under docs/reference."""
    manifest = published("manifest-record")
    kinds = manifest["definitions"]
    parts = [NOTE.format(name="manifest-record"), _MANIFEST]
    for name in ("recipe", "output", "rejected"):
        about = kinds[name].get("description", "")
        parts.append(
            f'## Lines with `"record": "{name}"`\n\n{about}\n\n'.replace("\n\n\n\n", "\n\n")
        )
        parts.append(_fields(kinds[name], kinds) + "\n")
    summary = published("summary")
    told = NOTE.format(name="summary") + _SUMMARY + _fields(summary, summary.get("definitions", {}))
    return {"manifest.md": "".join(parts).rstrip() + "\n", "summary.md": told}


def _fields(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    return table(("field", "", "what it says"), _rows(schema, definitions, ""))


def _rows(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], above: str
) -> Iterator[tuple[str, str, str]]:
    required = schema.get("required", ())
    for name, given in schema.get("properties", {}).items():
        field = {**definitions.get(given.get("$ref", "").split("/")[-1], {}), **given}
        always = "" if name in required else "not always"
        yield f"`{above}{name}`", always, _about(field)
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
