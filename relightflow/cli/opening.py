"""From paths to plans, one recipe at a time: what is wrong with one never hides the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from relightflow.cli import streams
from relightflow.cli.console import Console, error
from relightflow.cli.params import RecipeArguments
from relightflow.errors import Exit, InvalidRecipe, RelightflowError
from relightflow.plugins import registry as plugins
from relightflow.plugins.registry import Registry
from relightflow.report import json

T = TypeVar("T")


def registry(console: Console, state: Path | None = None) -> Registry:
    """All plugins; those that were left out are named once. What they print goes to standard error.
    `state`: --state, where models may be declared for the project of a recipe."""
    streams.reserve()
    loaded = replace(plugins.load(), state=state)
    for warning in loaded.warnings:
        console.warn(warning)
    return loaded


def each(
    reading: RecipeArguments, console: Console, step: Callable[[Path], T]
) -> Iterator[tuple[Path, T | Exit]]:
    """`step` done for every recipe: its answer, or the exit code after its problem was told."""
    for path in reading.paths:
        try:
            yield path, step(path)
        except RelightflowError as problem:
            tell(path, problem, console)
            yield path, problem.exit_code


def tell(path: Path, problem: RelightflowError, console: Console) -> None:
    """A recipe's problem on standard error and, for programs, in place of its answer."""
    text = str(problem)
    if not isinstance(problem, InvalidRecipe) and str(path) not in text:
        text = f"{path}: {text}"
    error(text)
    console.document(json.text(json.failed(str(path), problem)))


def warn_of(warnings: tuple[str, ...], console: Console) -> None:
    """A recipe's warnings, each once."""
    for warning in dict.fromkeys(warnings):
        console.warn(warning)
