"""`relightflow resolve`: calls that nothing settles by itself, and a person's word on them."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import click

from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.types import reads, usd
from relightflow.errors import AccountError, BudgetError, Exit, RefusedError, UsageError
from relightflow.maintenance.provider_records import ask_records, named_backends
from relightflow.maintenance.resolve import decide, held_attempts
from relightflow.model.maintenance import Decision, Resolution
from relightflow.model.money import Micros
from relightflow.plugins.records import OperatorPolicy
from relightflow.report import json, resolution
from relightflow.run.opening import open_state
from relightflow.store.state_dir import StateDir


@click.command
@click.argument("recipe", required=False, type=params.FILE, metavar="[RECIPE]")
@click.option(
    "--resubmit", is_flag=True, help="Let the next run buy them again, within --max-cost."
)
@click.option(
    "--assume-lost", is_flag=True, help="Give the results up; their price counts as spent."
)
@click.option(
    "--wait",
    "waiting",
    is_flag=True,
    help="Query the provider's records until they have settled all that they will.",
)
@click.option(
    "--max-cost",
    callback=reads(usd),
    metavar="USD",
    help="With --resubmit: the most that may be spent.",
)
@click.option("--job", "jobs", multiple=True, metavar="ID", help="Only this job. Repeatable.")
@click.option(
    "--backend",
    metavar="NAME",
    help="Backend whose records are queried.  [default: all that have unknown outcomes]",
)
@params.state
@params.operator
@params.output()
def command(
    recipe: Path | None,
    resubmit: bool,
    assume_lost: bool,
    waiting: bool,
    max_cost: Micros | None,
    jobs: tuple[str, ...],
    backend: str | None,
    state: Path | None,
    operator: OperatorPolicy,
    console: Console,
) -> Exit:
    """List calls that may have been billed, and settle them.

    Without an option, lists them with their price. They are never repeated automatically. --resubmit
    looks them up in the provider's records first, and leaves to the records what these will settle;
    calls named with --job are decided as you say.
    """
    if resubmit + assume_lost + waiting > 1:
        raise UsageError("use only one of --resubmit, --assume-lost and --wait")
    if resubmit and max_cost is None:
        raise BudgetError(
            "--resubmit may pay a second time: set the most that may be spent with --max-cost USD"
        )
    state_dir = params.state_dir(recipe, state)
    found = Resolution(held_attempts(state_dir))
    if waiting or (resubmit and not jobs):
        names = (backend,) if backend else named_backends(state_dir, in_doubt=True)
        found = _ask(state_dir, names, operator, console, waiting)
    if resubmit or assume_lost:
        decision = Decision.RESUBMIT if resubmit else Decision.ASSUME_LOST
        decided = _decide(state_dir, decision, max_cost, jobs)
        found = replace(decided, adopted=found.adopted, released=found.released)
    console.answer(resolution.resolution(found))
    console.document(json.text(resolution.resolution_document(found)))
    return found.exit


def _ask(
    state_dir: StateDir,
    names: tuple[str, ...],
    operator: OperatorPolicy,
    console: Console,
    wait: bool,
) -> Resolution:
    """What the records of the backends `names` settle. Raises what opening a backend raises."""
    if not names:
        return Resolution(held_attempts(state_dir))
    registry = opening.registry(console)
    records = [registry.backend(name) for name in names]
    asked = ask_records(state_dir, records, operator, console.say, wait=wait)
    try:
        return asyncio.run(asked)
    except (AccountError, RefusedError) as error:
        if wait:
            raise
        raise type(error)(
            f"{error}. The provider's records could not be asked, so nothing was decided; --job "
            "ID decides about a call without them"
        ) from error


def _decide(
    state_dir: StateDir, decision: Decision, cap: Micros | None, jobs: tuple[str, ...]
) -> Resolution:
    with open_state(state_dir, f"relightflow resolve, process {os.getpid()},") as state:
        return decide(state_dir, state.ledger, decision, cap, jobs)
