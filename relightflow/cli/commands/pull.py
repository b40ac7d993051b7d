"""`relightflow pull`: delivers everything that is stored, and buys nothing."""

from __future__ import annotations

import os
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.delivering import deliver_stored
from relightflow.cli.params import RecipeArguments
from relightflow.errors import Exit, gravest
from relightflow.model.plan import Selection
from relightflow.plugins.records import OperatorPolicy
from relightflow.store.state_dir import locate


@click.command
@params.recipes
@params.selection
@params.state
@params.operator
@click.option("--overwrite", is_flag=True, help="Replace output files that were edited.")
@params.output()
def command(
    reading: RecipeArguments,
    selection: Selection,
    state: Path | None,
    operator: OperatorPolicy,
    overwrite: bool,
    console: Console,
) -> Exit:
    """Deliver all results that are stored; buy nothing.

    Results come from the state and from the shared store. Calls that were paid for are collected, and
    unknown outcomes are looked up in the provider's records, which needs the key; everything else works
    without it. Ends with exit code 1 if something is missing. No cap is needed.
    """
    registry = opening.registry(console, state)
    program, _, *words = params.typed()
    next_run = (program, "run", *words)

    def step(path: Path) -> Exit:
        recipe = api.load(path, registry, reading.overrides, reading.backend)
        state_dir = locate(path, state, os.environ)
        plan = api.plan(recipe, registry, selection, operator, state_dir)
        return deliver_stored(
            plan, registry, state_dir, operator, console, Exit.JOBS_FAILED, overwrite, next_run
        )

    exits = []
    for _, found in opening.each(reading, console, step):
        exits.append(found)
        if found in (Exit.INTERRUPTED, Exit.TERMINATED):
            break
    return gravest(exits)
