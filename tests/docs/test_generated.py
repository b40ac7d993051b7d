"""Generated pages are right, and not only in step: every row says something, in words of the reader.

The pages are read here as a reader sees them; what they must say comes from click's own help and from
the published schemas, and not from the generator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click
import pytest
from click.testing import CliRunner

from docs.generate import REFERENCE, pages
from relightflow.cli.group import relightflow as command_line
from relightflow.cli.table import COMMANDS
from relightflow.plugins.records import BackendRecord
from relightflow.plugins.registry import load
from relightflow.recipe import compose_schema, published

PAGES = sorted(page for page in pages() if page not in ("hooks.md", "python-api.md"))
"""The two that are left out show Python to those who write it."""
SCHEMAS = {name: published(name) for name in ("manifest-record", "summary", "picks")} | {
    "recipe": compose_schema(load(found=lambda: ()))
}


def cells(page: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every cell of every table below its head."""
    lines = (REFERENCE / page).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if line.startswith("|") and not re.fullmatch(r"[|: -]+", line):
            yield from ((number, cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1])


@pytest.mark.parametrize("page", PAGES)
def test_no_cell_of_a_table_is_empty(page: str) -> None:
    assert not [line for line, cell in cells(page) if not cell]


@pytest.mark.parametrize("page", PAGES)
def test_no_cell_has_a_word_of_python(page: str) -> None:
    python = re.compile(r"\b(None|True|False)\b|<class|object at 0x|\bdict\b|\btuple\b")
    lines = (REFERENCE / page).read_text(encoding="utf-8").splitlines()
    assert not [
        (line, cell)
        for line, cell in cells(page)
        if python.search(cell)
        if not lines[line - 1].startswith("| `light_source` |")  # IC-Light's own word for no side
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_shown_as_its_help_shows_it(name: str) -> None:
    page = (REFERENCE / f"commands/{name}.md").read_text(encoding="utf-8")
    shown = {
        ", ".join(re.findall(r"`(.+?)`", row.split(" | ")[0])).replace("\\|", "|")
        for row in re.findall(r"^\| (`-.*)$", page, re.MULTILINE)
    }
    heads = set()
    for words in invocations(name):
        told = CliRunner().invoke(
            command_line, [*words, "-h"], terminal_width=400, env={"COLUMNS": "400"}
        )
        heads |= {*re.findall(r"^  (-.+?)(?:  .*)?$", told.output, re.MULTILINE)}
    assert shown == heads


def invocations(name: str) -> list[list[str]]:
    """The command, and each of its subcommands."""
    command = command_line.get_command(click.Context(command_line), name)
    inner = command.commands if isinstance(command, click.Group) else ()
    return [[name], *([name, one] for one in inner)]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_s_usage_is_the_one_of_its_help(name: str) -> None:
    page = (REFERENCE / f"commands/{name}.md").read_text(encoding="utf-8")
    usages = re.findall(r"^    (relightflow .*)$", page, re.MULTILINE)
    for usage, words in zip(usages, invocations(name), strict=True):
        told = CliRunner().invoke(command_line, [*words, "-h"], prog_name="relightflow")
        assert " ".join(told.output.split("\n\n")[0].split()) == f"Usage: {usage}"


def undescribed(schema: Any, root: dict[str, Any], at: str = "") -> Iterator[str]:
    """The properties without a description of their own or of what they refer to."""
    if isinstance(schema, list):
        for item in schema:
            yield from undescribed(item, root, at)
    elif isinstance(schema, dict):
        for name, given in schema.get("properties", {}).items():
            field = given if isinstance(given, dict) else {}
            target = root.get("definitions", {}).get(field.get("$ref", "").split("/")[-1], {})
            told = field.get("description") or target.get("description") or "const" in field
            if not told and not at.endswith(("/if", "/not")):
                yield f"{at}.{name}"
        for key, value in schema.items():
            if key not in ("examples", "default", "enum"):
                yield from undescribed(value, root, f"{at}/{key}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_of_a_published_schema_is_described(name: str) -> None:
    """What a condition repeats of a field is described where the field stands."""
    repeated = ("/if", "/allOf/then.matrix", "/allOf/then/properties/matrix")
    silent = undescribed(SCHEMAS[name], SCHEMAS[name])
    assert not [path for path in silent if not any(part in path for part in repeated)]


@pytest.mark.parametrize(
    "record",
    [loaded.record for loaded in load(found=lambda: ()).backends.values()],
    ids=lambda record: record.name,
)
def test_every_parameter_of_a_built_in_backend_is_described(record: BackendRecord) -> None:
    silent = [(m.name, p.name) for m in record.models for p in m.parameters if not p.summary]
    assert not silent
