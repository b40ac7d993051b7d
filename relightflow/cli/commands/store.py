"""`relightflow store init`: makes the store that machines share, and tells what it can promise."""

from __future__ import annotations

import click

from relightflow.cli import params
from relightflow.cli.console import Console
from relightflow.errors import UsageError
from relightflow.objects.bucket import opened
from relightflow.objects.faults import ObjectFault
from relightflow.report import json, maintenance
from relightflow.report import json_maintenance as documents
from relightflow.store.marker import PAIRS, init_store
from relightflow.store.shared import SharedStore


@click.group()
def command() -> None:
    """Make a store that several machines share.

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
    console.answer(maintenance.shared_store(str(bucket), marker, new, kept))
    console.document(json.text(documents.shared_store(str(bucket), marker, new, kept)))
