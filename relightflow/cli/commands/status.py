"""`relightflow status`: the last run, the money, and what is in doubt. Reads only."""

from __future__ import annotations

from pathlib import Path

import click

from relightflow.cli import options
from relightflow.cli.console import Console
from relightflow.ledger.reader import reading
from relightflow.model.attempt import State
from relightflow.model.status import LastRun, Status
from relightflow.report import json
from relightflow.report.status import status as words
from relightflow.store.home import Home


@click.command
@click.argument("recipe", required=False, type=options.FILE, metavar="[RECIPE]")
@options.state
@options.output()
def command(recipe: Path | None, state: Path | None, console: Console) -> None:
    """Show the last run, the money spent, and what is in doubt.

    RECIPE says whose state to look at; without it, that of the current folder. Nothing is sent.
    """
    found = look(options.home(recipe, state))
    console.answer(words(found, console.columns))
    console.document(json.text(json.status(found)))


def look(home: Home) -> Status:
    """How `home` stands. Raises StorageError where its ledger cannot be read."""
    with reading(home.ledger) as ledger:
        last = ledger.last_run()
        money = ledger.money()
        states = ledger.states()
        doubts = tuple(ledger.unknown_attempts())
    return Status(
        state=str(home.root),
        last_run=LastRun(*last) if last else None,
        spent=money.spent,
        in_flight=money.in_flight,
        unknown=money.unknown,
        states=tuple((state, states[state]) for state in State if state in states),
        doubts=doubts,
    )
