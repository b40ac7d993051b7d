"""`relightflow status`: the last run, the money, and what is in doubt. Reads only."""

from __future__ import annotations

from pathlib import Path

import click

from relightflow.cli import params
from relightflow.cli.console import Console
from relightflow.model.attempt import State
from relightflow.model.status import LastRun, Status
from relightflow.report import json
from relightflow.report import spending as report
from relightflow.report.status import status as words
from relightflow.run.limits.spend import spending
from relightflow.run.restoring import open_state_reader
from relightflow.store.state_dir import StateDir


@click.command
@click.argument("recipe", required=False, type=params.FILE, metavar="[RECIPE]")
@click.option("--spend", is_flag=True, help="Show the spending by recipe, model, month and day.")
@params.state
@params.output()
def command(recipe: Path | None, spend: bool, state: Path | None, console: Console) -> None:
    """Show the last run, the money spent, and unknown outcomes.

    RECIPE selects the state folder; the default is that of the current folder. Nothing is sent.
    """
    state_dir = params.state_dir(recipe, state)
    found = look(state_dir)
    document = json.status(found)
    if spend:
        with open_state_reader(state_dir) as seen:
            spent = spending(seen.ledger.charges())
        console.answer(report.spending(spent))
        document["spending"] = report.spending_document(spent)
    else:
        console.answer(words(found, console.columns))
    console.document(json.text(document))


def look(state_dir: StateDir) -> Status:
    """How `home` stands. Raises StorageError where its ledger cannot be read."""
    with open_state_reader(state_dir) as seen:
        ledger = seen.ledger
        last = ledger.last_run()
        money = ledger.money()
        states = ledger.states()
        doubts = tuple(ledger.unknown_attempts())
        deadlines = [at for a in ledger.open_attempts() if (at := a.collect_by) is not None]
    return Status(
        state=str(state_dir.root),
        last_run=LastRun(*last) if last else None,
        spent=money.spent,
        in_flight=money.in_flight,
        unknown=money.unknown,
        states=tuple((state, states[state]) for state in State if state in states),
        doubts=doubts,
        waiting=len(deadlines),
        collect_by=min(deadlines, default=None),
        exists=state_dir.root.is_dir(),
        rehearsal=state_dir.rehearsal,
        restoration=seen.restoration,
    )
