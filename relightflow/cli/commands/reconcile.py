"""`relightflow reconcile`: the ledger beside the provider's bill. Free of charge."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.cli.types import reads
from relightflow.errors import Exit, UsageError
from relightflow.maintenance.provider_records import named_backends, reconcile
from relightflow.plugins.records import OperatorPolicy
from relightflow.report import json, resolution

DAYS = 7


def day(text: str) -> float:
    """`2026-11-20` (UTC) as Unix seconds."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ValueError(f"{text!r} is not a valid date; use the form 2026-11-20") from None


@click.command
@click.argument("recipe", required=False, type=params.FILE, metavar="[RECIPE]")
@click.option(
    "--backend",
    metavar="NAME",
    help="Backend whose bill is compared.  [default: all that the ledger has paid calls of]",
)
@click.option(
    "--since", callback=reads(day), metavar="DAY", help="First day, UTC.  [default: a week ago]"
)
@click.option("--until", callback=reads(day), metavar="DAY", help="Last day, UTC.  [default: now]")
@params.state
@params.operator
@params.output()
def command(
    recipe: Path | None,
    backend: str | None,
    since: float | None,
    until: float | None,
    state: Path | None,
    operator: OperatorPolicy,
    console: Console,
) -> Exit:
    """Compare the ledger with the provider's bill.

    Reports every difference, and settles unknown outcomes that the provider's records explain. Requests
    of others on the same account are counted apart. Nothing is bought.
    """
    now = time.time()
    end = min(now, until + timedelta(days=1).total_seconds()) if until else now
    begin = since if since is not None else end - timedelta(days=DAYS).total_seconds()
    if begin >= end:
        raise UsageError("--since is not before --until")
    state_dir = params.state_dir(recipe, state)
    names = (backend,) if backend else named_backends(state_dir)
    if not names:
        raise UsageError(
            "this state has no paid calls, so it names no backend; name one with --backend"
        )
    registry = opening.registry(console)
    records = [registry.backend(name) for name in names]
    found = asyncio.run(reconcile(state_dir, records, operator, begin, end, console.say))
    console.answer(resolution.reconciliation(found))
    console.document(json.text(resolution.reconciliation_document(found)))
    return found.exit
