"""`relightflow gc`: unreferenced results and old runs, here and in the shared store."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.maintenance import gc
from relightflow.model.plan import Plan, Selection
from relightflow.objects.faults import ObjectFault
from relightflow.plugins.records import OperatorPolicy
from relightflow.report import json, json_maintenance, maintenance
from relightflow.run.opening import open_state
from relightflow.store.shared import SharedStore, open_shared
from relightflow.store.state_dir import StateDir


@click.command
@click.argument("recipe", nargs=-1, type=params.FILE, metavar="[RECIPE]...")
@click.option(
    "--manifest", "manifests", multiple=True, type=params.FILE, metavar="FILE",
    help="Keep the results in this manifest. Repeatable.",
)  # fmt: skip
@click.option(
    "--keep-runs", type=click.IntRange(min=1), default=50, show_default=True, metavar="N",
    help="Keep the manifests and events of the last N runs.",
)  # fmt: skip
@click.option("--delete", is_flag=True, help="Delete what is listed.")
@click.option("--paid", is_flag=True, help="Include results that cost money.")
@params.state
@params.operator
@params.output()
def command(
    recipe: tuple[Path, ...],
    manifests: tuple[Path, ...],
    keep_runs: int,
    delete: bool,
    paid: bool,
    state: Path | None,
    operator: OperatorPolicy,
    console: Console,
) -> None:
    """List unreferenced results and old runs; --delete removes them.

    Results of RECIPE, of every --manifest, and of every job that is open or unknown are kept. Without
    any recipe or manifest, every finished result is kept, and only temporary files and old runs can be
    removed. An image that cannot be reached for now ends the command. Results that cost money stay unless --paid is given; a removed one must be bought again if
    it is needed later. A shared store is cleaned up in the same way.
    """
    state_dir = params.state_dir(recipe[0] if recipe else None, state)
    wanted = gc.retained(
        [_plan(path, state_dir, operator, console) for path in params.found(recipe)], manifests
    )
    remote = open_shared(operator.store)
    with open_state(state_dir, f"relightflow gc, process {os.getpid()},") as held:
        found = gc.find_garbage(state_dir, wanted, keep_runs, paid)
        try:
            if remote and (operator.store_writes or not delete):
                found = replace(found, shared=gc.find_shared_garbage(remote, wanted, paid=paid))
            if delete:
                gc.delete(state_dir, held.ledger, held.blobs, found)
                _forget(remote, found.shared)
        except ObjectFault as error:
            raise error.as_error from None
    console.answer(maintenance.garbage(found, delete))
    console.document(json.text(json_maintenance.garbage(found, delete)))


def _plan(path: Path, state_dir: StateDir, operator: OperatorPolicy, console: Console) -> Plan:
    registry = opening.registry(console, state_dir.root if state_dir.named else None)
    recipe = replace(api.load(path, registry), picks=None)  # what was not picked is kept too
    plan = api.plan(recipe, registry, Selection(), operator, state_dir)
    opening.warn_of(plan.warnings, console)
    api.check_complete(plan)
    return plan


def _forget(remote: SharedStore | None, paths: tuple[str, ...]) -> None:
    """Entries come before the blobs they rely on, so none is ever left without its bytes."""
    if remote:
        for path in paths:
            remote.bucket.delete([path])
