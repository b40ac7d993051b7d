"""The packages are layered as docs/explanation/architecture.md says: imports point down, and each
third-party library has its packages.

Every import counts: at the top, inside a function, for types only, and by name in a string.
"""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEVELS = (
    ("__main__",),
    ("cli",),
    ("api",),
    ("maintenance",),
    ("run", "report"),
    ("deliver", "testing", "checks"),
    ("recipe", "plan", "backends", "sources", "sinks", "executors"),
    ("gallery",),
    ("ledger", "store", "plugins", "images"),
    ("objects",),
    ("network",),
    ("model",),
    ("core", "errors"),
)
"""A package may import what stands on a line below its own, and nothing beside it."""

LEVEL = {package: depth for depth, packages in enumerate(LEVELS) for package in packages}

ENTRY_POINTS = {
    ("relightflow.plugins.registry", "relightflow.sources.builtin"),
    ("relightflow.plugins.registry", "relightflow.backends.builtin"),
    ("relightflow.plugins.registry", "relightflow.sinks.builtin"),
    ("relightflow.plugins.registry", "relightflow.checks.builtin"),
    ("relightflow.plugins.registry", "relightflow.executors.builtin"),
}
"""Upward, by name only: our own plugins, which come in as a stranger's do through an entry point."""

OWNERS = {
    "sqlite3": ("ledger",),
    "click": ("cli",),
    "dask": ("executors",),
    "distributed": ("executors",),
    "aiohttp": ("backends", "network", "sources"),
    "idna": ("network",),
    "jsonschema": ("recipe", "testing"),
    "numpy": ("backends", "checks", "images", "testing"),
    "obstore": ("objects",),
    "PIL": ("backends", "checks", "images", "sinks"),
    "pillow_heif": ("images",),
    "pluggy": ("plugins",),
    "rich": ("report",),
    "yaml": ("backends", "recipe"),
    "yarl": ("backends", "network", "sources"),  # aiohttp's own URLs
}
"""Third-party packages (and sqlite3), and the only packages that may import them."""

LATE = ("jsonschema",)
"""Imported inside the function that needs it: their packages are loaded by every command."""

HEAVY = ("aiohttp", "numpy", "PIL", "obstore", "rich")
"""Loaded by the commands that use them, so not by `-h` and `validate`."""

LONGEST_FILE, LONGEST_FUNCTION = 400, 60


@dataclass(frozen=True, slots=True)
class Import:
    module: str
    """As written: `relightflow.model.job`, `aiohttp.web`, or a module named in a string."""
    line: int
    top: bool
    """At the top of the file, so it happens when the module is loaded."""


@cache
def trees() -> Mapping[str, tuple[Path, ast.Module]]:
    """Module name → its file and what is in it."""
    found = {}
    for path in sorted((ROOT / "relightflow").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = (path, ast.parse(path.read_text(encoding="utf-8")))
    return found


@cache
def imports(module: str) -> tuple[Import, ...]:
    tree = trees()[module][1]
    return tuple(_imports(tree, tree.body))


def _imports(tree: ast.Module, top: list[ast.stmt]) -> Iterator[Import]:
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom():
                base = node.module or ""
                inside = [f"{base}.{alias.name}" for alias in node.names]
                names = ["." * node.level] if node.level else []
                names += [name if name in trees() else base for name in inside]
            case ast.Constant(value=str(text)) if text.startswith("relightflow."):
                names = [text.rstrip(".")] if text.rstrip(".") in trees() else []
            case _:
                continue
        yield from (Import(name, node.lineno, node in top) for name in names)


def package_of(module: str) -> str:
    """`relightflow.run.limits.rate_limit` → `run`; the package itself has none."""
    return [*module.split("."), ""][1]


def ours() -> Iterator[tuple[str, Import]]:
    """Every import of a relightflow module by another one."""
    for module in filter(package_of, trees()):  # the root only names what is public
        for found in imports(module):
            if found.module in trees() and found.module != module and package_of(found.module):
                yield module, found


def test_nothing_of_ours_goes_through_the_public_names() -> None:
    roundabout = [
        f"{module}:{found.line}"
        for module in filter(package_of, trees())
        for found in imports(module)
        if found.module == "relightflow"
    ]
    assert not roundabout


def test_every_package_has_its_level() -> None:
    assert {package_of(module) for module in trees() if package_of(module)} == {*LEVEL}


def test_imports_point_down() -> None:
    astray = [
        f"{module}:{found.line} imports {found.module}"
        for module, found in ours()
        if package_of(module) != package_of(found.module)
        and LEVEL[package_of(module)] >= LEVEL[package_of(found.module)]
        and (module, found.module) not in ENTRY_POINTS
    ]
    assert not astray


def test_every_entry_point_is_used() -> None:
    assert {(module, found.module) for module, found in ours()} >= ENTRY_POINTS


def test_no_module_imports_itself_over_others() -> None:
    graph: dict[str, set[str]] = {}
    for module, found in ours():
        if (module, found.module) not in ENTRY_POINTS and not _is_package_of(found.module, module):
            graph.setdefault(module, set()).add(found.module)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(" → ".join(cycle.args[1]))


def _is_package_of(package: str, module: str) -> bool:
    return module.startswith(f"{package}.")


def test_no_import_is_relative() -> None:
    assert not [module for module in trees() for i in imports(module) if i.module.startswith(".")]


def test_third_party_packages_stay_in_their_packages() -> None:
    astray = [
        f"{module}:{found.line} imports {found.module}"
        for module in trees()
        for found in imports(module)
        if (package := found.module.split(".")[0]) not in sys.stdlib_module_names
        or package in OWNERS
        if package != "relightflow" and package_of(module) not in OWNERS.get(package, ())
    ]
    assert not astray


def test_nouns_and_errors_need_the_standard_library_only() -> None:
    outside = {
        found.module
        for module in trees()
        if package_of(module) in (*LEVELS[-1], "model")
        for found in imports(module)
        if found.module.split(".")[0] not in {*sys.stdlib_module_names, "relightflow"}
    }
    assert not outside


def test_nouns_are_frozen_and_slotted() -> None:
    loose = [
        f"{name}.{noun.__name__}"
        for name in trees()
        if package_of(name) == "model"
        for noun in vars(importlib.import_module(name)).values()
        if isinstance(noun, type) and is_dataclass(noun)
        if not noun.__dataclass_params__.frozen or "__slots__" not in vars(noun)  # type: ignore[attr-defined]  # typeshed leaves it out
    ]
    assert not loose


def test_what_loads_slowly_is_imported_late() -> None:
    early = [
        f"{module}:{found.line} imports {found.module}"
        for module in trees()
        for found in imports(module)
        if found.top and found.module.split(".")[0] in LATE
    ]
    assert not early


def _commands() -> Iterator[list[str]]:
    from relightflow.cli.table import COMMANDS

    yield ["--help"]
    yield from ([name, "-h"] for name in COMMANDS)
    yield ["validate", str(ROOT / "recipes")]


def test_help_and_validate_load_nothing_heavy() -> None:
    """Each command in turn in one fresh process: what one loads, the next has too."""
    program = (
        "import json, sys\n"
        "from relightflow.cli import main\n"
        "commands, heavy = map(json.loads, sys.argv[1:])\n"
        "for command in commands:\n"
        "    assert main(command) == 0, command\n"
        "    loaded = [name for name in heavy if name in sys.modules]\n"
        "    assert not loaded, (command, loaded)\n"
    )
    given = (json.dumps(list(_commands())), json.dumps(HEAVY))
    done = subprocess.run(
        [sys.executable, "-c", program, *given], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_module_begins_with_what_it_is_for() -> None:
    silent = [name for name, (_, tree) in trees().items() if not ast.get_docstring(tree)]
    assert not silent


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_bytes().splitlines()) for path, _ in trees().values()}
    assert not {path.name: lines for path, lines in lengths.items() if lines > LONGEST_FILE}


def test_no_function_is_long() -> None:
    long = {
        f"{name}.{node.name}": lines
        for name, (_, tree) in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert not long


def test_no_module_is_a_collection_of_everything() -> None:
    assert not {name.split(".")[-1] for name in trees()} & {"utils", "util", "helpers", "common"}


WITHOUT_TESTS_OF_THEIR_OWN = {
    "gallery/run.py": "names what a gallery reads: a protocol, and records without a rule",
    "model/claim.py": "a record without a rule; it is read and written in store/claims.py",
    "model/outcome.py": "records without a rule; what they hold is tested where they are made",
    "model/planned_output.py": "words and a record without a rule; the actions are tested where they are decided",
    "model/progress.py": "a record without a rule",
    "model/status.py": "records without a rule",
    "plugins/check.py": "a protocol, and records without a rule; the kit in testing/ holds checks to it",
    "run/context.py": "what the parts of a run share: a record without a rule",
}
"""Module → why it has no tests at its own path. That it is hard to test is no reason."""


def test_every_module_has_its_tests_at_its_own_path() -> None:
    """relightflow/a/b.py is tested by tests/a/test_b.py."""
    package = ROOT / "relightflow"
    modules = {path.relative_to(package) for path in package.rglob("*.py")}
    without = {
        path.as_posix()
        for path in modules
        if path.name != "__init__.py"
        and not (ROOT / "tests" / path.with_name(f"test_{path.name}")).is_file()
    }
    assert not without - WITHOUT_TESTS_OF_THEIR_OWN.keys(), "they have no tests of their own"
    assert not WITHOUT_TESTS_OF_THEIR_OWN.keys() - without, "they have tests, or are gone"
