"""Writes docs/reference/hooks.md: the hooks with their exact arguments, and the records they return."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType

from docs.tables import table
from relightflow.errors import Exit
from relightflow.model import evidence
from relightflow.plugins import backend, check, executor, hookspecs, records, sink, source

NOTE = "<!-- Written by `python -m docs.generate`; change relightflow/plugins/ instead. -->\n"

_INTRO = """# Hooks and protocols

A plugin is a Python package with an entry point in the group `relightflow`. It implements any of these
hooks. The ones that bring something return records and do no work; what a record's `create` makes then
follows one of the protocols. [How to write one](../how-to/write-a-plugin.md) goes through it.

Hooks may leave arguments out; pluggy hands over those that are named.

## Hooks

"""


def pages() -> dict[str, str]:
    """The page by its path under docs/reference."""
    parts = [NOTE, _INTRO, *_hooks(), "## Records\n\n"]
    parts += [_record(node) for node in _classes(records)]
    for title, module in (
        ("Source", source),
        ("Backend", backend),
        ("Sink", sink),
        ("Check", check),
        ("Executor", executor),
    ):
        parts.append(f"## {title}\n\n{_docstring(module)}\n\n")
        parts += [_record(node, "###") for node in _classes(module)]
        if module is backend:
            parts += [_record(node, "###") for node in _classes(evidence)]
    return {"hooks.md": "\n".join("".join(parts).split("\n")).rstrip() + "\n"}


def _hooks() -> list[str]:
    found = []
    for node in _tree(hookspecs).body:
        if isinstance(node, ast.FunctionDef):
            arguments = ", ".join(ast.unparse(a) for a in node.args.args)
            returns = ast.unparse(node.returns) if node.returns else "None"
            text = inspect.cleandoc(ast.get_docstring(node) or "")
            head = f"```python\n@hookimpl\ndef {node.name}({arguments}) -> {returns}: ...\n```"
            found.append(f"### {node.name}\n\n{head}\n\n{text}\n\n")
    return found


def _record(node: ast.ClassDef, level: str = "###") -> str:
    """A class under a heading of its own."""
    return f"{level} {node.name}\n\n{class_entry(node)}\n"


def class_entry(node: ast.ClassDef) -> str:
    """A class: what it is, then a row for every field and every method."""
    text = inspect.cleandoc(ast.get_docstring(node) or "")
    rows = [*_fields(node), *_methods(node)]
    parts = [text + "\n" if text else "", table(("member", "what it is"), rows) if rows else ""]
    return "\n".join(part for part in parts if part)


def _fields(node: ast.ClassDef) -> list[tuple[str, str]]:
    rows = []
    for at, item in enumerate(node.body):
        if isinstance(item, (ast.AnnAssign, ast.Assign)) and "__slots__" not in ast.unparse(item):
            said = _said(node.body[at + 1 : at + 2]) or _exit_code(node, item)
            rows.append((f"`{ast.unparse(item)}`", said))
    return rows


def _exit_code(node: ast.ClassDef, item: ast.stmt) -> str:
    """What an exit code means, for the enumeration and for the errors that bear one."""
    text = ast.unparse(item)
    if node.name == "Exit":
        return Exit[text.split(" = ")[0]].meaning
    return "The exit code of a command that ends with it." if "exit_code" in text else ""


def _methods(node: ast.ClassDef) -> list[tuple[str, str]]:
    return [
        (
            f"`{'async ' if isinstance(item, ast.AsyncFunctionDef) else ''}{item.name}"
            f"{'' if item.decorator_list else _arguments(item)}"
            f"{f' -> {ast.unparse(item.returns)}' if item.returns else ''}`",
            inspect.cleandoc(ast.get_docstring(item) or ""),
        )
        for item in node.body
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
        and not item.name.startswith("_")
    ]


def _arguments(method: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return f"({ast.unparse(method.args).removeprefix('self').removeprefix(', ')})"


def _said(following: list[ast.stmt]) -> str:
    """The text under a field."""
    match following:
        case [ast.Expr(value=ast.Constant(value=str(text)))]:
            return inspect.cleandoc(text)
    return ""


def _classes(module: ModuleType) -> list[ast.ClassDef]:
    return [node for node in _tree(module).body if isinstance(node, ast.ClassDef)]


def _docstring(module: ModuleType) -> str:
    return ast.get_docstring(_tree(module)) or ""


def _tree(module: ModuleType) -> ast.Module:
    assert module.__file__
    return ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
