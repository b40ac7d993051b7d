"""`relightflow check`: is it the light that was paid for? From the store; sends and buys nothing."""

from __future__ import annotations

import os
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.deliver.run_folder import MANIFEST
from relightflow.errors import Exit, StorageError, gravest
from relightflow.maintenance.check import check_manifest, check_results
from relightflow.model.check_report import CheckReport
from relightflow.model.plan import Selection
from relightflow.plugins.records import OperatorPolicy
from relightflow.recipe.checks import with_checks
from relightflow.report import check as words
from relightflow.report import json, junit
from relightflow.store.atomic import write_atomic
from relightflow.store.state_dir import locate


@click.command
@click.argument("recipe", nargs=-1, required=True, type=params.FILE, metavar="RECIPE|MANIFEST...")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE",
    help="Override a field of the recipe, such as checks=default. Repeatable.",
)  # fmt: skip
@click.option("--backend", default="", metavar="NAME", help="Check this backend's results instead.")
@params.state
@click.option(
    "--junit", "report", type=params.FILE, metavar="FILE",
    help="Write a JUnit report: one case per output and check, with the recipe's line.",
)  # fmt: skip
@params.output()
def command(
    recipe: tuple[Path, ...],
    overrides: tuple[str, ...],
    backend: str,
    state: Path | None,
    report: Path | None,
    console: Console,
) -> Exit:
    """Check whether results have the light that was paid for.

    Each RECIPE is checked with its own `checks`, or with the default ones; each MANIFEST (a
    manifest.jsonl, or a folder that holds one) with the default ones. Results are read from the store:
    no network requests, no purchases, and no file is changed; the next run writes the verdicts into its
    manifests. Ends with exit code 1 if a check with severity `fail` failed.
    """
    registry = opening.registry(console, state)
    reading = RecipeArguments(_found(recipe), overrides, backend)

    def step(path: Path) -> CheckReport:
        state_dir = locate(path, state, os.environ)
        if _is_manifest(path):
            file = path / MANIFEST if path.is_dir() else path
            return check_manifest(file, registry, state_dir)
        loaded = api.load(path, registry, reading.overrides, reading.backend)
        operator = OperatorPolicy(offline=True)
        plan = api.plan(with_checks(loaded, registry), registry, Selection(), operator, state_dir)
        return check_results(plan, registry, state_dir)

    exits: list[Exit] = []
    reports: list[CheckReport] = []
    for path, found in opening.each(reading, console, step):
        if isinstance(found, Exit):
            exits.append(found)
            continue
        failed = any(item.failed for item in found.outputs)
        exits.append(Exit.JOBS_FAILED if failed else Exit.OK)
        reports.append(found)
        (console.issue if failed else console.answer)(words.in_words(found))
        console.document(json.text(words.as_document(str(path), found)))
    if report:
        _write(report, reports)
    return gravest(exits)


def _is_manifest(path: Path) -> bool:
    return path.suffix == ".jsonl" or (path / MANIFEST).is_file()


def _found(given: tuple[Path, ...]) -> tuple[Path, ...]:
    """Manifests as they are, and recipes as other commands take them."""
    paths: list[Path] = []
    for path in given:
        paths += (path,) if _is_manifest(path) else params.found((path,))
    return tuple(dict.fromkeys(paths))


def _write(path: Path, reports: list[CheckReport]) -> None:
    """Raises StorageError."""
    pieces = (piece.encode() for piece in junit.document([words.as_suite(r) for r in reports]))
    try:
        write_atomic(path.absolute().parent, path.name, pieces, durable=False)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error
