"""`relightflow pick`: puts picks into a recipe, or delivers the images of picks."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.errors import Exit, StorageError, UsageError
from relightflow.maintenance import picks as work
from relightflow.maintenance.picks import Delivery, Edit
from relightflow.model.picks import Picks
from relightflow.model.plan import Selection
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.recipe import read_picks
from relightflow.report import escape, json
from relightflow.report.text import count, listing
from relightflow.store.atomic import write_atomic
from relightflow.store.state_dir import locate

_SHOWN = 20


@click.command
@click.argument("picks", type=params.FILE, metavar="PICKS")
@click.option(
    "--into", type=params.FILE, metavar="RECIPE",
    help="Change the recipe to make exactly these: as `include` if all images have the same "
    "picks, otherwise as `picks`.",
)  # fmt: skip
@click.option(
    "--deliver", "folder", type=params.FILE, metavar="DIR",
    help="Copy the results of the picks to this folder.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="With --into: show the difference, write nothing.")
@click.option(
    "--backend", default="", metavar="NAME",
    help="With --deliver: use this backend's results. Default: the most expensive result of "
    "each pick.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="With --deliver: replace files that differ.")
@params.state
@params.output()
def command(
    picks: Path,
    into: Path | None,
    folder: Path | None,
    dry_run: bool,
    backend: str,
    overwrite: bool,
    state: Path | None,
    console: Console,
) -> Exit:
    """Add picks to a recipe, or deliver their results.

    PICKS is a file that a gallery saved. Makes no network requests and buys nothing: to make what
    was picked, use `relightflow run RECIPE --picks PICKS`.
    """
    if (into is None) == (folder is None):
        raise UsageError("choose what to do with the picks: --into RECIPE or --deliver DIR")
    found = read_picks(picks)
    registry = opening.registry(console, state)
    if into is not None:
        _into(found, picks, into, dry_run, state, registry, console)
        return Exit.OK
    assert folder is not None
    if backend:
        registry.backend(backend)  # an unknown one is named
    state_dir = locate(picks, state, os.environ)
    done = work.deliver(found, state_dir, registry, folder, backend, overwrite)
    return _tell(done, folder, console)


def _into(
    found: Picks,
    picks: Path,
    recipe: Path,
    dry_run: bool,
    state: Path | None,
    registry: Registry,
    console: Console,
) -> None:
    whole = replace(api.load(recipe, registry), picks=None)
    state_dir = locate(recipe, state, os.environ)
    plan = api.plan(whole, registry, Selection(), OperatorPolicy(offline=True), state_dir)
    try:
        old = recipe.read_text(encoding="utf-8")
        edit = work.into_recipe(found, plan, old, work.relative(picks, recipe), registry)
        if not dry_run and edit.after != edit.before:
            data = edit.after.encode()
            write_atomic(recipe.absolute().parent, recipe.name, data, durable=True)
    except OSError as error:
        raise StorageError(f"{recipe} cannot be changed: {error.strerror}") from error
    for line in _difference(edit, str(recipe)):
        console.answer(escape.terminal(line))
    console.say(edit.how if edit.after != edit.before else f"nothing to change: {edit.how}")
    console.document(json.text(json.pick_into(str(recipe), edit.how, edit.after != edit.before)))


def _difference(edit: Edit, name: str) -> Iterator[str]:
    """What changes in the recipe, a line at a time, under its name."""
    lines = list(
        difflib.unified_diff(edit.before.splitlines(), edit.after.splitlines(), lineterm="")
    )
    if lines:
        yield name
        yield from lines[2:]  # without the headers of a patch


def _tell(done: Delivery, folder: Path, console: Console) -> Exit:
    said = [count(len(done.written), "image") + " written"]
    if done.same:
        said.append(f"{len(done.same):,} already there")
    if done.edited:
        said.append(f"{len(done.edited):,} kept, because they differ (--overwrite replaces them)")
    if done.missing:
        said.append(f"{len(done.missing):,} not made yet")
    lines = [f"{escape.terminal(str(folder))}: {', '.join(said)}"]
    lines += listing(done.edited[:_SHOWN], len(done.edited))
    lines += listing(done.missing[:_SHOWN], len(done.missing))
    if done.missing:
        lines.append("make what is missing with: relightflow run RECIPE --picks PICKS")
    bad = done.missing or done.edited
    (console.issue if bad else console.answer)("\n".join(lines))
    console.document(
        json.text(json.pick_delivery(done.written, done.same, done.edited, done.missing))
    )
    return Exit.JOBS_FAILED if bad else Exit.OK
