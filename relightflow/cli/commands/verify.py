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
from relightflow.maintenance.manifest_check import check_manifest
from relightflow.maintenance.verify import verify
from relightflow.model.maintenance import ManifestCheck, Verification
from relightflow.plugins.records import OperatorPolicy
from relightflow.report import json
from relightflow.report import json_maintenance as documents
from relightflow.report.maintenance import manifest_check as manifest_words
from relightflow.report.maintenance import verification as words
from relightflow.store.shared import open_shared
from relightflow.store.state_dir import locate


@click.command
@params.recipes
@params.state
@params.store
@params.output()
def command(reading: RecipeArguments, state: Path | None, store: str, console: Console) -> Exit:
    """Check every stored result and every delivered file.

    Every result and every delivered file of the recipe's sinks is hashed again. Damaged results are set
    aside; the next run downloads them again if the provider still has them, and never buys them again
    automatically. With a shared store, every entry in it is read too. Ends with exit code 8 if stored
    bytes are damaged or missing, and with 1 if only delivered files have changed.

    A manifest (a file that ends in .jsonl) can be named in place of a recipe: the images beside it must be those
    that it tells of. That needs no state, as in a clone.
    """
    registry = opening.registry(console, state)

    def step(path: Path) -> Verification | ManifestCheck:
        if path.suffix == ".jsonl":
            return check_manifest(path)
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
        if isinstance(found, ManifestCheck):
            say(manifest_words(str(path), found))
            console.document(json.text(documents.manifest_check(str(path), found)))
        else:
            say(words(str(path), found))
            console.document(json.text(documents.verification(str(path), found)))
    return gravest(exits)
