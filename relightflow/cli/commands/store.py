"""`relightflow store`: makes the store that machines share, and tells what it promises and who spends what."""

from __future__ import annotations

import click

from relightflow.cli import params
from relightflow.cli.console import Console
from relightflow.errors import UsageError
from relightflow.maintenance.store_claims import list_claims, release
from relightflow.maintenance.store_status import store_status
from relightflow.objects.bucket import opened
from relightflow.objects.faults import ObjectFault
from relightflow.report import json
from relightflow.report import shared_store as words
from relightflow.store.marker import PAIRS, init_store
from relightflow.store.shared import SharedStore, open_shared


@click.group()
def command() -> None:
    """Make a store that several machines share, and list its claims.

    A run that is given a URL without a store ends with exit code 6 and buys nothing.
    """


@command.command()
@click.argument("url", metavar="URL")
@click.option(
    "--pairs", type=click.IntRange(min=1, max=100_000), default=PAIRS, show_default=True, metavar="N",
    help="Race this many pairs of writers.",
)  # fmt: skip
@params.output()
def init(url: str, pairs: int, console: Console) -> None:
    """Make URL a shared store, and find out whether claims hold there.

    URL is s3://, gs:// or az:// with a prefix, or file:///folder. Pairs of writers race to create one
    object; where both ever succeed, a claim holds nothing, and runs say so. What the store holds already
    is kept, so that this is also the way to take over a store of version 0.1.
    """
    if not url.strip():
        raise UsageError("URL is empty; nothing was made")
    bucket = opened(url, files=True)
    try:
        marker, new = init_store(bucket, pairs)
        kept = sum(1 for _ in SharedStore(bucket).entries())
    except ObjectFault as error:
        raise error.as_error from None
    console.answer(words.store_made(str(bucket), marker, new, kept))
    console.document(json.text(words.store_document(str(bucket), marker, new, kept)))


@command.command()
@click.argument("url", metavar="URL")
@params.output()
def status(url: str, console: Console) -> None:
    """Show what the store promises, and which machine and run spent, claims and reserves what.

    Money that is reserved is set aside by a run that is at work, or that was killed: then whoever needs it
    takes it. With --json, all runs are listed.
    """
    store = open_shared(url)
    if store is None:
        raise UsageError("URL is empty")
    try:
        found = store_status(store)
    except ObjectFault as error:
        raise error.as_error from None
    console.answer(words.status(found))
    console.document(json.text(words.status_document(found)))


@command.command()
@click.argument("url", metavar="URL")
@click.option(
    "--release", "released", multiple=True, metavar="JOB",
    help="Release the claim on this job, which may have been billed: the next run buys it. Repeatable.",
)  # fmt: skip
@params.output()
def claims(url: str, released: tuple[str, ...], console: Console) -> None:
    """List the jobs that machines have claimed, with their price.

    A claim stands from before a call leaves until its result is published. One whose machine is gone is an
    unknown outcome: runs look it up in the provider's records; no claim expires. --release is your
    word that it may be bought again; its price counts as spent. Make sure that no machine is at work on it.
    """
    store = open_shared(url)
    if store is None:
        raise UsageError("URL is empty")
    try:
        found = release(store, released) if released else list_claims(store)
    except ObjectFault as error:
        raise error.as_error from None
    console.answer(words.claims(found, bool(released)))
    console.document(json.text(words.claims_document(str(store), found, bool(released))))
