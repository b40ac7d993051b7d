"""`relightflow resolve`: calls that nothing settles by itself, and a person's word on them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from relightflow.cli import opening, options
from relightflow.cli.console import Console
from relightflow.cli.types import reads, usd
from relightflow.errors import BudgetError, Exit, UsageError
from relightflow.model.money import Micros
from relightflow.model.upkeep import Decision, Resolution
from relightflow.plugins.records import Operator
from relightflow.report import json, resolution
from relightflow.run.setup import opened
from relightflow.store.home import Home
from relightflow.upkeep.books import wait
from relightflow.upkeep.resolve import decide, held


@click.command
@click.argument("recipe", required=False, type=options.FILE, metavar="[RECIPE]")
@click.option("--resubmit", is_flag=True, help="Let the next run buy them again, up to --max-cost.")
@click.option("--assume-lost", is_flag=True, help="Give them up; their price counts as spent.")
@click.option("--wait", "waiting", is_flag=True, help="Ask the provider's records until they know.")
@click.option(
    "--max-cost", callback=reads(usd), metavar="USD", help="With --resubmit: at most for so much."
)
@click.option("--job", "jobs", multiple=True, metavar="ID", help="Only this one. May be repeated.")
@click.option(
    "--backend", default="segmind", show_default=True, metavar="NAME", help="With --wait: whose."
)
@options.state
@options.operator
@options.output()
def command(
    recipe: Path | None,
    resubmit: bool,
    assume_lost: bool,
    waiting: bool,
    max_cost: Micros | None,
    jobs: tuple[str, ...],
    backend: str,
    state: Path | None,
    operator: Operator,
    console: Console,
) -> Exit:
    """List calls that may have been billed, and take your decision.

    Without an option, only lists them, with their price. They are never sent again by themselves.
    """
    if resubmit + assume_lost + waiting > 1:
        raise UsageError("say one of --resubmit, --assume-lost and --wait")
    if resubmit and max_cost is None:
        raise BudgetError("--resubmit may pay a second time: say for how much with --max-cost USD")
    home = options.home(recipe, state)
    if waiting:
        record = opening.registry(console).backend(backend)
        found = asyncio.run(wait(home, record, operator, console.say))
    elif resubmit or assume_lost:
        decision = Decision.RESUBMIT if resubmit else Decision.ASSUME_LOST
        found = _decide(home, decision, max_cost, jobs)
    else:
        found = Resolution(held(home))
    console.answer(resolution.resolution(found))
    console.document(json.text(resolution.resolution_document(found)))
    return found.exit


def _decide(
    home: Home, decision: Decision, cap: Micros | None, jobs: tuple[str, ...]
) -> Resolution:
    with opened(home, f"relightflow resolve, process {os.getpid()},") as state:
        return decide(home, state.ledger, decision, cap, jobs)
