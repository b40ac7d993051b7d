"""`relightflow prune`: removes delivered images that the recipe does not describe any more."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import click

from relightflow import api
from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.params import RecipeArguments
from relightflow.deliver.target import open_targets
from relightflow.errors import Exit, RelightflowError, StorageError, UsageError, gravest
from relightflow.ledger.reader import open_reader
from relightflow.maintenance.prune import DeliveredPlan, find_unwanted, remove
from relightflow.model.plan import Selection
from relightflow.plugins.records import OperatorPolicy
from relightflow.plugins.registry import Registry
from relightflow.plugins.sink import SinkFailed
from relightflow.report import escape, json
from relightflow.report import json_maintenance as documents
from relightflow.report.maintenance import unwanted as words
from relightflow.run.opening import open_state
from relightflow.store.state_dir import StateDir, locate


@click.command
@params.recipes
@params.state
@params.operator
@click.option("--delete", is_flag=True, help="Remove what is listed.")
@params.output()
def command(
    reading: RecipeArguments,
    state: Path | None,
    operator: OperatorPolicy,
    delete: bool,
    console: Console,
) -> Exit:
    """List delivered images that a recipe no longer describes; --delete removes them.

    Only images that relightflow delivered for the recipe are listed, and only as long as they are
    unchanged and their result is stored: `run` delivers them again at no cost if they are wanted later.
    Edited files stay. Files that sinks gather (archives, sheets, pages, the manifest) are brought up to date
    by the next run. What other recipes of the same state describe is kept.
    """
    registry = opening.registry(console, state)

    def step(path: Path) -> tuple[DeliveredPlan, StateDir]:
        state_dir = locate(path, state, os.environ)
        return _planned(path, registry, reading, operator, state_dir), state_dir

    opened = [found for _, found in opening.each(reading, console, step)]
    problems = [found for found in opened if isinstance(found, Exit)]
    if problems:
        return gravest(problems)
    wanted = [found[0] for found in opened if not isinstance(found, Exit)]
    states = {found[1] for found in opened if not isinstance(found, Exit)}
    if len(states) > 1:
        raise UsageError("the recipes have different states; name those of one state at a time")
    state_dir = states.pop()
    with ExitStack() as stack:
        for target in (target for one in wanted for target in one.targets):
            stack.callback(target.sink.close)
        held = stack.enter_context(
            open_state(state_dir, f"relightflow prune, process {os.getpid()},")
        )
        reader = stack.enter_context(open_reader(state_dir.ledger))
        others = _others(reader.recipes(), reading, registry, operator, state_dir, console)
        found = find_unwanted(wanted, others, reader, state_dir)
        if delete:
            try:
                remove(found, wanted, held)
            except (SinkFailed, OSError) as error:
                raise StorageError(f"a delivered file could not be removed ({error})") from error
    console.answer(words(found, delete))
    console.document(json.text(documents.unwanted(found, delete)))
    return Exit.OK


def _planned(
    path: Path,
    registry: Registry,
    reading: RecipeArguments,
    operator: OperatorPolicy,
    state_dir: StateDir,
) -> DeliveredPlan:
    recipe = api.load(path, registry, reading.overrides, reading.backend)
    plan = api.plan(recipe, registry, Selection(), operator, state_dir)
    return DeliveredPlan(plan, open_targets(recipe, registry, operator))


def _others(
    known: list[tuple[str, str]],
    reading: RecipeArguments,
    registry: Registry,
    operator: OperatorPolicy,
    state_dir: StateDir,
    console: Console,
) -> list[DeliveredPlan]:
    """The other recipes that were run with this state and are still there."""
    given = {os.path.realpath(path) for path in reading.paths}
    files = {file for _, file in known if file and os.path.realpath(file) not in given}
    found = []
    for file in sorted(files):
        if not Path(file).is_file():
            continue
        try:
            plain = RecipeArguments((), (), reading.backend)
            found.append(_planned(Path(file), registry, plain, operator, state_dir))
        except RelightflowError:
            console.warn(
                f"{escape.terminal(file)} was run with this state and cannot be planned now; of what "
                "it shares with the others, only what was bought for it is kept"
            )
    return found
