"""Every relightflow command that a reader may paste can be typed, wherever it is shown.

Blocks of code in pages are parsed by tests/test_docs.py, and the sessions in them are run; this is
about the rest: code spans in a sentence, comments in recipes, workflows, schemas and the program's
own messages. They may leave out an argument, so the parser of the command reads the words: the command
and each of its options exist, and an option that takes a value has one.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from relightflow.cli.group import relightflow as command_line
from relightflow.cli.table import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("recipes/**/*.md")])
SCHEMAS = sorted(ROOT.glob("schemas/*.json"))
CODE = sorted((ROOT / "relightflow").rglob("*.py"))
RECIPES = sorted([*ROOT.glob("recipes/*.yaml"), *ROOT.glob("recipes/*.sh")])
OTHERS = {"--check-build-dependencies"}
"""Options of other programs that the pages name."""


def spans(text: str) -> Iterator[str]:
    """Code in a sentence; blocks are left out."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for match in re.finditer(r"`([^`\n]+(?:\n[^`\n]+)?)`", prose):
        yield " ".join(match[1].split())


def commands(text: str) -> Iterator[str]:
    """What follows `relightflow` where a sentence or a comment quotes a command."""
    for quote in re.finditer(
        r"(?:['`]|^#\s+|run: )relightflow ([a-z]+(?: [^`'\n#]*)?)", text, re.MULTILINE
    ):
        yield f"relightflow {quote[1]}"


def shown() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        workflows = re.findall(r"run: (relightflow .*)$", text, re.MULTILINE)
        for found in [*spans(text), *workflows]:
            words = found.split()
            if words[:1] == ["relightflow"] and words[1:]:
                yield f"{page.relative_to(ROOT)}", found
            elif words[0] in COMMANDS and words[1:] and words[1].startswith("--"):
                yield f"{page.relative_to(ROOT)}", f"relightflow {found}"
    for path in [*SCHEMAS, *RECIPES]:
        text = path.read_text(encoding="utf-8").replace("\\\n#", "")
        yield from ((f"{path.relative_to(ROOT)}", found) for found in commands(text))
    for path in CODE:
        text = path.read_text(encoding="utf-8")
        if not re.search(r"relightflow(?![.\w/-])", text):
            continue  # nothing that could be a command; reading all the code as a tree takes seconds
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for found in commands(node.value):
                    yield f"{path.relative_to(ROOT)}", found


SHOWN = sorted({*shown()})


def typed(command: str) -> list[str]:
    """The words of a command up to a redirection, a pipe or the dots of something left out."""
    words = shlex.split(re.split(r"[>|;…]|&&", command)[0].replace("...", ""), comments=True)
    return [word for word in words[1:] if word]


@pytest.mark.parametrize(
    ("where", "command"), [pytest.param(*pair, id=" ".join(pair)) for pair in SHOWN]
)
def test_a_command_in_a_sentence_can_be_typed(where: str, command: str) -> None:
    name, *words = typed(command)
    if name.startswith("-"):
        return
    assert name in COMMANDS, where
    context = click.Context(command_line)
    found = command_line.get_command(context, name)
    assert found
    if words and words[-1] in values(found):
        words.append("1")  # the sentence names the option without its value
    found.make_parser(click.Context(found, info_name=name)).parse_args(words)


def values(command: click.Command) -> set[str]:
    """The options that take a value."""
    return {
        name
        for option in command.params
        if isinstance(option, click.Option) and not option.is_flag
        for name in option.opts
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_an_option_that_a_sentence_names_is_one_of_some_command(page: Path) -> None:
    known = {"--help", "--version"}
    for name in COMMANDS:
        found = command_line.get_command(click.Context(command_line), name)
        assert found
        inner = found.commands.values() if isinstance(found, click.Group) else ()
        known |= {o for one in (found, *inner) for option in one.params for o in option.opts}
    named = set()
    for span in spans(page.read_text(encoding="utf-8")):
        first = span.split()[0]
        if first.startswith("--") and first == span.split("=")[0].split()[0]:
            named.add(first.rstrip(".,"))
    assert named <= known | OTHERS


def test_commands_are_found_in_pages_recipes_schemas_and_messages() -> None:
    """The rule above has something to hold for."""
    kinds = {where.split("/")[0] for where, _ in SHOWN}
    assert {"docs", "recipes", "schemas", "relightflow"} <= kinds
    assert json.loads((ROOT / "schemas/summary.schema.json").read_text())
