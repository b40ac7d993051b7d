"""`relightflow gc`: what serves nobody any longer, here and in the shared store."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from relightflow import pipeline
from relightflow.cli import opening, options
from relightflow.cli.console import Console
from relightflow.model.plan import Plan, Selection
from relightflow.objects.faults import ObjectFault
from relightflow.plugins.records import Operator
from relightflow.report import json, upkeep
from relightflow.run.setup import opened
from relightflow.store.home import Home
from relightflow.store.remote import Remote, opened_remote
from relightflow.upkeep import gc


@click.command
@click.argument("recipe", nargs=-1, type=options.FILE, metavar="[RECIPE]...")
@click.option(
    "--manifest", "manifests", multiple=True, type=options.FILE, metavar="FILE",
    help="Keep what this manifest names. May be repeated.",
)  # fmt: skip
@click.option(
    "--keep-runs", type=click.IntRange(min=1), default=50, metavar="N",
    help="Keep the manifests and events of the last N runs (50).",
)  # fmt: skip
@click.option("--delete", is_flag=True, help="Take it away; without this it is only listed.")
@options.state
@options.store
@options.output()
def command(
    recipe: tuple[Path, ...],
    manifests: tuple[Path, ...],
    keep_runs: int,
    delete: bool,
    state: Path | None,
    store: str,
    console: Console,
) -> None:
    """List what serves nobody any longer, and take it away if told to.

    Kept are the results of RECIPE, of every --manifest, and of every job that is open or in doubt.
    With no recipe and no manifest every finished result is kept, and only leftovers and old runs can
    go. A finished result that goes was paid for: wanted again, it is bought again. With a shared
    store the same is done there.
    """
    home = options.home(recipe[0] if recipe else None, state)
    wanted = gc.kept([_plan(path, home, console) for path in options.found(recipe)], manifests)
    remote = opened_remote(store)
    with opened(home, f"relightflow gc, process {os.getpid()},") as held:
        found = gc.find(home, wanted, keep_runs)
        try:
            if remote:
                found = replace(found, shared=gc.find_shared(remote, wanted))
            if delete:
                gc.take_away(home, held.ledger, held.blobs, found)
                _forget(remote, found.shared)
        except ObjectFault as error:
            raise error.as_error from None
    console.answer(upkeep.garbage(found, delete))
    console.document(json.text(json.garbage(found, delete)))


def _plan(path: Path, home: Home, console: Console) -> Plan:
    registry = opening.registry(console)
    recipe = pipeline.load(path, registry)
    return pipeline.expand(recipe, registry, Selection(), Operator(), home)


def _forget(remote: Remote | None, paths: tuple[str, ...]) -> None:
    """Entries come before the blobs they rely on, so none is ever left without its bytes."""
    if remote:
        for path in paths:
            remote.bucket.delete([path])
