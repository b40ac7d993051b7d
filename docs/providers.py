"""Writes docs/reference/providers.md: what each backend promises and needs, from the records alone."""

from __future__ import annotations

import math

from docs.tables import table
from relightflow.model.catalog import Model
from relightflow.model.money import dollars
from relightflow.plugins.records import BackendRecord
from relightflow.plugins.registry import load

_NOTE = "<!-- Written by `python -m docs.generate` from the backends' records. -->\n"

_INTRO = """# Providers

The built-in backends side by side. Parameters and options are listed under [backends](plugins.md#backends).

*Doubts* says how it is found out what became of a call whose answer got lost, and whether that takes time:
[how an unknown outcome is settled](../explanation/never-pay-twice.md#how-an-unknown-outcome-is-settled).

"""
_MODELS = """
## Models and prices

Prices are those of the providers' pages when this version was made; a run reserves the highest and counts what
the provider reports.

"""
_HOSTS = """
## Hosts

Requests go to these hosts and results come from them, and from nowhere else unless `--output-host` allows it. The
key goes to the API's host alone.

"""


def pages() -> dict[str, str]:
    """The page by its path under docs/reference."""
    backends = load(found=lambda: ()).backends
    records = [backends[name].record for name in sorted(backends)]
    facts = table(
        ("backend", "key", "doubts", "limits", "keeps a request", "keeps a result"),
        map(_facts, records),
    )
    models = table(
        ("backend", "model", "price of a call", "what it does"),
        (_model(record, model) for record in records for model in record.models),
    )
    hosts = table(("backend", "hosts"), (_hosts(record) for record in records if record.hosts))
    parts = [_NOTE, _INTRO, facts, _MODELS, models, _HOSTS, hosts]
    return {"providers.md": "".join(parts).rstrip() + "\n"}


def _facts(record: BackendRecord) -> tuple[str, ...]:
    return (
        f"`{record.name}`",
        f"`{record.key_variable}`" if record.key_variable else "none",
        _settlement(record),
        record.limits or "–",
        _time(record.keeps_requests),
        _time(record.keeps_results) if record.keeps_results else "–",
    )


def _settlement(record: BackendRecord) -> str:
    if all(model.price and model.price.free for model in record.models):
        return "none: nothing costs"
    settlement = record.settlement
    return {
        "none": "a person decides",
        "lookup": "`lookup`: its records are read, which may take minutes",
        "key": f"`key`: the same call is sent again, at once, within {_time(settlement.seconds)}",
    }[settlement.by]


def _time(seconds: float) -> str:
    if math.isinf(seconds):
        return "for ever"
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds / size
            return f"{count:g} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:g} seconds"


def _model(record: BackendRecord, model: Model) -> tuple[str, ...]:
    return f"`{record.name}`", f"`{model.name}`", _price(model), model.summary


def _price(model: Model) -> str:
    price = model.price
    if price is None:
        return "unknown: a run needs `--price`"
    if price.free:
        return "free"
    size = model.by_size
    price = size.unit if size else price
    low, high = dollars(price.low), dollars(price.high)
    cost = f"{high} USD" if low == high else f"{low} to {high} USD"
    return f"{cost} per megapixel" if size else cost


def _hosts(record: BackendRecord) -> tuple[str, ...]:
    names = (f"`*{host}`" if host.startswith(".") else f"`{host}`" for host in record.hosts)
    return f"`{record.name}`", ", ".join(names)
