"""The docs are a contract: what they name exists, what exists is named, and their recipes work.

Pages that are written from the program are compared with it; `make docs` writes them anew.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from docs.generate import REFERENCE, pages
from relightflow import api
from relightflow.cli.group import relightflow as command_line
from relightflow.cli.table import COMMANDS
from relightflow.errors import Exit
from relightflow.model.attempt import State
from relightflow.model.plan import Selection
from relightflow.plan.build import expand
from relightflow.plugins import hookspecs
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import load
from relightflow.recipe.annotations import FREE
from relightflow.recipe.core import CORE
from relightflow.store.state_dir import StateDir
from relightflow.testing import sample_image_bytes
from tests.test_architecture import LEVELS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("recipes/**/*.md")])
GENERATED = pages()


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(*languages: str) -> Iterator[tuple[str, str]]:
    """(where it stands, what it says) of every code block in one of `languages`."""
    for path in PAGES:
        for match in re.finditer(r"^```(\w+)\n(.*?)^```", text(path), re.MULTILINE | re.DOTALL):
            if match[1] in languages:
                line = text(path).count("\n", 0, match.start()) + 1
                yield f"{name(path)}:{line}", match[2]


RECIPES = [
    pytest.param(block, id=where) for where, block in blocks("yaml") if "version: 1\n" in block
]
LEFT_OUT = {
    "version": "version: 1",
    "name": "name: part",
    "sources": "sources: [{type: glob, include: ['*']}]",
    "sinks": "sinks: [{type: directory, path: out/}]",
}
"""What a part of a recipe may leave to the reader."""


def parts() -> Iterator[tuple[str, str]]:
    """Blocks that show some fields of a recipe, made whole: (where, the recipe)."""
    for where, block in blocks("yaml"):
        fields = set(re.findall(r"^(\w+):", block, re.MULTILINE))
        if "version" not in fields and fields and fields <= CORE["properties"].keys():
            added = [line for field, line in LEFT_OUT.items() if field not in fields]
            yield where, "\n".join([block, *added])


def typed() -> Iterator[tuple[str, list[str]]]:
    """Every relightflow command that a reader might paste: (where, its words)."""
    for where, block in blocks("sh", "console"):
        for line in _commands(block):
            words = shlex.split(line, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words = words[1:]
            if words[:1] == ["relightflow"]:
                yield where, words[1:]


def _commands(block: str) -> Iterator[str]:
    """The lines of a block that are typed: after `$ ` where there is any, and else all."""
    lines = block.replace("\\\n", " ").splitlines()
    prompted = [line[2:] for line in lines if line.startswith("$ ")]
    yield from prompted or lines


@pytest.mark.parametrize("page", GENERATED)
def test_a_generated_page_is_what_the_program_says(page: str) -> None:
    assert text(REFERENCE / page) == GENERATED[page], "run: make docs"


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_valid_and_can_be_planned(recipe: str, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for seed in range(2):
        (tmp_path / f"photos/{seed}.jpg").write_bytes(sample_image_bytes(seed))
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe, encoding="utf-8")
    registry = load(found=lambda: ())
    loaded = api.load(path, registry)
    state_dir = StateDir(tmp_path / ".relightflow")
    plan = api.plan(loaded, registry, Selection(), OperatorPolicy(), state_dir)
    assert plan.jobs_count
    assert not plan.warnings


@pytest.mark.parametrize("recipe", [pytest.param(recipe, id=where) for where, recipe in parts()])
def test_a_part_of_a_recipe_is_valid(recipe: str, tmp_path: Path) -> None:
    """Not planned: it may name what a test does not have, such as addresses of the web."""
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe, encoding="utf-8")
    loaded = api.load(path, load(found=lambda: ()))
    assert expand(loaded).cells


def test_some_recipes_are_shown() -> None:
    assert len(RECIPES) >= 5


@pytest.mark.parametrize(
    "words", [pytest.param(words, id=f"{where} {' '.join(words)}") for where, words in typed()]
)
def test_a_command_that_is_shown_can_be_typed(words: list[str]) -> None:
    """Parsed by the command's own options, and not run."""
    if words == ["--version"]:
        return
    command = command_line.get_command(command_line.make_context("relightflow", words), words[0])
    assert command, words
    command.make_context(words[0], words[1:])


def test_every_command_is_shown_somewhere() -> None:
    shown = {words[0] for _, words in typed()}
    assert COMMANDS.keys() - shown <= {"account", "init", "schema", "plugins", "reconcile"}, shown


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        path, _, anchor = target.partition("#")
        if re.match(r"https?:", target):
            continue
        aim = (page.parent / path) if path else page
        if not aim.exists() or (anchor and anchor not in anchors(aim)):
            lost.append(target)
    assert not lost


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name)
def test_a_page_can_be_reached_from_the_index(page: Path) -> None:
    index = [DOCS / "README.md", REFERENCE / "commands/README.md"]
    links = {
        (start.parent / target.split("#")[0]).resolve()
        for start in index
        for target in re.findall(r"\]\(([^)\s]+)\)", text(start))
    }
    assert page in {*links, index[0]}


def test_every_hook_is_explained_with_its_exact_arguments() -> None:
    assert hookspecs.__file__
    tree = ast.parse(text(Path(hookspecs.__file__)))
    for hook in tree.body:
        if isinstance(hook, ast.FunctionDef):
            head = f"def {hook.name}({ast.unparse(hook.args)})"
            assert head in text(REFERENCE / "hooks.md")
            assert ast.get_docstring(hook)


def test_every_exit_code_has_its_row() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", text(REFERENCE / "exit-codes.md"), re.MULTILINE)
    assert {int(number): meaning for number, meaning in rows} == {
        int(code): code.meaning for code in Exit
    }


@pytest.mark.parametrize(
    "field",
    [
        name
        for part in (CORE, CORE["properties"]["limits"])
        for name, rule in part["properties"].items()
        if rule != FREE
    ],
)
def test_every_field_of_a_recipe_has_its_row(field: str) -> None:
    assert f"\n| `{field}` |" in text(REFERENCE / "recipe.md")


def test_every_environment_variable_has_its_row() -> None:
    """A variable is a text constant in capitals of our own family, or one of the common ones."""
    ours = re.compile(
        r"(RELIGHTFLOW|SEGMIND|REPLICATE|RUNWARE|COMFY|COMFYUI|FAL|XDG)_[A-Z_]+|NO_COLOR|TERM|CI"
    )
    used = {
        node.value
        for path in (ROOT / "relightflow").rglob("*.py")
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if ours.fullmatch(node.value)
    }
    used |= {
        f"{name}_FILE" for name in used if name.endswith(("_KEY", "_TOKEN"))
    }  # `backends.http.key`
    rows = re.findall(r"^\| `(\w+)` \|", text(REFERENCE / "environment.md"), re.MULTILINE)
    assert {*rows} == used


def test_every_state_of_a_job_has_its_row() -> None:
    page = text(DOCS / "explanation/life-of-a-job.md")
    rows = re.findall(r"^\| ([A-Z_]+) \|", page, re.MULTILINE)
    assert rows == [state.value for state in State]


def test_the_architecture_page_has_the_layers_that_are_enforced() -> None:
    page = text(DOCS / "explanation/architecture.md")
    rows = re.findall(r"^\| (`.*?`) \|", page, re.MULTILINE)
    layers = [{*re.findall(r"`(\w+)`", row)} for row in rows]
    assert layers == [{*level} for level in LEVELS if level != ("__main__",)]
