"""`relightflow account`: what the account of a paid backend holds. Free of charge."""

from __future__ import annotations

import asyncio

import click

from relightflow.cli import opening, params
from relightflow.cli.console import Console
from relightflow.errors import AccountError, EarlyStop, RefusedError, RelightflowError, UsageError
from relightflow.model.failure import CallFailed, FailureKind
from relightflow.model.money import usd
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, Balance, HasBalance
from relightflow.plugins.records import BackendContext
from relightflow.report import json
from relightflow.report.text import money


class _NoMemory:
    """A balance needs nothing of earlier runs."""

    def recall(self, key: str) -> str | None:  # noqa: ARG002  nothing to do
        return None

    async def remember(self, key: str, value: str) -> None:  # noqa: ARG002  nothing to do
        return None

    async def forget(self, key: str) -> None:  # noqa: ARG002  nothing to do
        return None


@click.command
@click.option(
    "--backend",
    default="segmind",
    show_default=True,
    metavar="NAME",
    help="Backend whose account is shown.",
)
@params.output()
def command(backend: str, console: Console) -> None:
    """Show the balance of a backend's account.

    The key comes from the backend's own environment variable, such as SEGMIND_API_KEY. Ends with
    exit code 75 if the provider does not answer.
    """
    record = opening.registry(console).backend(backend)
    context = BackendContext(record.models[0], FrozenMap(), _NoMemory(), console.note)
    balance = asyncio.run(_balance(record.make(context), backend))
    free = f", {money(balance.free_credits)} free" if balance.free_credits else ""
    console.answer(f"{backend}: {money(balance.credits)}{free}")
    console.document(
        json.text(
            {
                "kind": "account",
                "version": json.VERSION,
                "backend": backend,
                "credits_usd": usd(balance.credits),
                "free_credits_usd": usd(balance.free_credits),
            }
        )
    )


async def _balance(backend: Backend, name: str) -> Balance:
    if not isinstance(backend, HasBalance):
        raise UsageError(f"backend '{name}' has no account")
    opened: Backend = backend
    await opened.open()
    try:
        return await backend.balance()
    except CallFailed as failed:
        kinds = {
            FailureKind.ACCOUNT: AccountError,
            FailureKind.REFUSED_SAFETY: RefusedError,
            FailureKind.BUG: RelightflowError,
        }
        words = f"{name}: {failed.failure.message}"
        raise kinds.get(failed.failure.kind, EarlyStop)(words) from failed
    finally:
        await opened.close()
