"""`report --format github`: what recorded runs came to, as a step summary and annotations."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from relightflow import api
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.deliver.run_folder import MANIFEST, SUMMARY
from relightflow.errors import Exit, InvalidRecipe, Problem, UsageError, gravest
from relightflow.plan.planned import path_in_project
from relightflow.plugins.registry import Registry
from relightflow.report import github
from relightflow.report.github import RecordedRun
from relightflow.store.state_dir import locate

_LARGEST = 16 << 20
"""Of a summary, or of a manifest's first line, that is read."""


def write(
    reading: RecipeArguments, state: Path | None, link: str, registry: Registry, console: Console
) -> Exit:
    """Print the summary, and the annotations to standard error. Raises UsageError."""
    runs: list[RecordedRun] = []
    problems: list[Problem] = []
    exits: list[Exit] = []
    for path in reading.paths:
        try:
            runs.append(_recorded(path, reading, state, registry))
        except InvalidRecipe as invalid:
            problems += invalid.problems
            exits.append(Exit.INVALID)
    try:
        text = github.step_summary(runs, problems, _checked(link))
        commands = list(
            github.workflow_commands(runs, problems, lambda file: path_in_project(Path(file)))
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"a manifest or summary cannot be read: {error}") from error
    console.answer(text.rstrip())
    if not console.quiet:
        console.workflow_commands(commands)
    return gravest(exits)


def _recorded(
    path: Path, reading: RecipeArguments, state: Path | None, registry: Registry
) -> RecordedRun:
    if path.suffix == ".jsonl" or (path / MANIFEST).is_file():
        manifest = path / MANIFEST if path.is_dir() else path
        summary = _summary(manifest.with_name(SUMMARY))
        return RecordedRun(_name(manifest), manifest, summary)
    recipe = api.load(path, registry, reading.overrides, reading.backend)
    recorded = locate(path, state, os.environ).runs.glob("*")
    for run in sorted(recorded, key=_started, reverse=True):
        summary = _summary(run / SUMMARY)
        if summary.get("recipe") == recipe.name and (run / MANIFEST).is_file():
            return RecordedRun(recipe.name, run / MANIFEST, summary, recipe)
    raise UsageError(f"{path}: no run of '{recipe.name}' is recorded in the state; run it first")


def _started(run: Path) -> tuple[str, int]:
    """Orders the folders of runs, those of the same second by when they were written last."""
    return run.name.partition("-")[0], run.stat().st_mtime_ns


def _summary(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and found.get("kind") == "summary" else {}


def _name(manifest: Path) -> str:
    try:
        with manifest.open(encoding="utf-8") as lines:
            return str(json.loads(lines.readline(_LARGEST))["recipe"]["name"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{manifest}: not a manifest: {error}") from error


def _checked(link: str) -> str:
    """Raises UsageError where it is no address to be linked."""
    if link and (urlsplit(link).scheme not in ("http", "https") or set(link) & set(" ()<>\n\r")):
        raise UsageError(f"--link {link}: not a web address")
    return link
