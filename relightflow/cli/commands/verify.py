"""`relightflow verify`: every stored byte and every delivered file, looked at. Sends nothing."""

from __future__ import annotations

import os
from pathlib import Path

import click

from relightflow import pipeline
from relightflow.cli import opening, options
from relightflow.cli.console import Console
from relightflow.cli.options import Reading
from relightflow.deliver.place import places
from relightflow.errors import Exit, gravest
from relightflow.model.upkeep import Verification
from relightflow.plugins.records import Operator
from relightflow.report import json
from relightflow.report.upkeep import verification as words
from relightflow.store.home import locate
from relightflow.store.remote import opened_remote
from relightflow.upkeep.verify import verify


@click.command
@options.recipes
@options.state
@options.store
@options.output()
def command(reading: Reading, state: Path | None, store: str, console: Console) -> Exit:
    """Look at every stored result and every delivered file.

    Each result is hashed again, and so is each file that the recipe's sinks were given. Damaged
    results are put aside and fetched again by the next run if they still can be, never bought again
    by themselves. With a shared store, everything in it is read too. Ends with 8 where stored bytes are damaged or gone, with 1 where only delivered
    files were changed.
    """
    registry = opening.registry(console)

    def step(path: Path) -> Verification:
        recipe = pipeline.load(path, registry, reading.overrides, reading.backend)
        home = locate(path, state, os.environ)
        return verify(home, places(recipe, registry, Operator()), opened_remote(store))

    exits = []
    for path, found in opening.each(reading, console, step):
        if isinstance(found, Exit):
            exits.append(found)
            continue
        exits.append(found.exit)
        say = console.answer if found.exit is Exit.OK else console.trouble
        say(words(str(path), found))
        console.document(json.text(json.verification(str(path), found)))
    return gravest(exits)
