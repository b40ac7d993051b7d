"""`relightflow verify`: every stored byte and every delivered file, looked at. Sends nothing."""

from __future__ import annotations

import os
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.deliver.target import open_targets
from relightflow.errors import Exit, gravest
from relightflow.maintenance.verify import verify
from relightflow.model.maintenance import Verification
from relightflow.plugins.records import OperatorPolicy
from relightflow.report import json
from relightflow.report.maintenance import verification as words
from relightflow.store.shared import open_shared
from relightflow.store.state_dir import locate


@click.command
@params.recipes
@params.state
@params.store
@params.output()
def command(reading: RecipeArguments, state: Path | None, store: str, console: Console) -> Exit:
    """Look at every stored result and every delivered file.

    Each result is hashed again, and so is each file that the recipe's sinks were given. Damaged
    results are put aside and fetched again by the next run if they still can be, never bought again
    by themselves. With a shared store, everything in it is read too. Ends with 8 where stored bytes are damaged or gone, with 1 where only delivered
    files were changed.
    """
    registry = opening.registry(console)

    def step(path: Path) -> Verification:
        recipe = api.load(path, registry, reading.overrides, reading.backend)
        state_dir = locate(path, state, os.environ)
        return verify(
            state_dir, open_targets(recipe, registry, OperatorPolicy()), open_shared(store)
        )

    exits = []
    for path, found in opening.each(reading, console, step):
        if isinstance(found, Exit):
            exits.append(found)
            continue
        exits.append(found.exit)
        say = console.answer if found.exit is Exit.OK else console.issue
        say(words(str(path), found))
        console.document(json.text(json.verification(str(path), found)))
    return gravest(exits)
