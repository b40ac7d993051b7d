"""Writes docs/reference/manifest.md, summary.md and plan-file.md from the published schemas."""

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


_PLAN = """# Plan file

`relightflow plan RECIPE… -o plan.json` writes what was priced, so that it can be reviewed, committed, compared
and bought as it is: `relightflow apply plan.json` buys exactly this or ends with exit code 9 and lists what
differs. `relightflow plan show plan.json` shows it, and says whether it is stale.

The file lists images and cells, not their product: 10,000 images × 256 cells take 1.5 MB. It has no clock
times, host names, paths of a machine or credentials, and the same plan gives the same bytes: keys are sorted,
and there is one image, cell or pick per line, so that a difference of two files is readable. Its SHA-256 names
the plan in the ledger, in the summary and, as `plan`, in the manifest's record of everything it bought.
`relightflow schema --part plan` prints the JSON Schema.

A plan file may come from a stranger. Every field is checked, its counts, prices and digest are computed again,
and nothing in it can raise a limit: its caps hold in addition to those of the recipe and the operator.

## What is a difference

| change since the plan was made | `apply` |
|---|---|
| comments, formatting, order of images, axes or values; purchases of other recipes; relightflow's version | applies it |
| some of its jobs were bought meanwhile, a lower price, a higher cap | applies the rest |
| an image's bytes; more images; cells, repeats, backend, model, selection | refuses with 9 |
| a higher price of a call, a lower cap, new unknown outcomes | refuses with 9, unless `--accept price` |
| an image that is gone | refuses with 9, unless `--accept missing` |
| the plan was applied already | does nothing, exit code 0 |

Unknown outcomes of an earlier `apply` of the same file are no difference, so an `apply` that was killed is
continued by running it again.

## Fields

Each entry of `plans` is the plan of one recipe:

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
    plan = published("plan")["definitions"]
    planned = NOTE.format(name="plan") + _PLAN + _fields(plan["plan"], plan)
    return {
        "manifest.md": "".join(parts).rstrip() + "\n",
        "summary.md": told,
        "plan-file.md": planned,
    }


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
