"""Values of options: money, durations, selections. Each parser raises ValueError in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import click

from relightflow.model.money import Micros, micros
from relightflow.model.plan import Shard
from relightflow.model.spending import Allowance, allowance

_SHARD = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)
_MOST_SHARDS = 1000
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")
_SLUG = re.compile(r"[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)*")


def reads(parse: Callable[[str], Any]) -> Callable[..., Any]:
    """An option's callback that parses what was typed; of a repeated option, each piece."""

    def callback(ctx: click.Context, param: click.Parameter, typed: Any) -> Any:
        try:
            if isinstance(typed, tuple):
                return tuple(parse(text) for text in typed)
            return None if typed is None else parse(typed)
        except ValueError as problem:
            raise click.BadParameter(str(problem), ctx, param) from None

    return callback


def usd(text: str) -> Micros:
    """US dollars, `5`, `0.05` or `5 USD`, as micro-dollars."""
    return micros(text.strip().removesuffix("USD"))


def price(text: str) -> Micros:
    """The same for a call that costs something. Raises ValueError for 0: what is free has no limit."""
    found = usd(text)
    if not found:
        raise ValueError(f"{text!r} is not the price of a paid call; it must be above 0")
    return found


def budget(text: str) -> Allowance:
    """`20/7d`: 20 USD in any 7 days."""
    return allowance(text)


def duration(text: str) -> float:
    """`90`, `90s`, `50m`, `1h30m` as seconds."""
    found = _DURATION.fullmatch(text.strip())
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is not a valid duration; use the form 90s, 50m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def shard(text: str) -> Shard:
    """`2/5`: the second of five shards."""
    found = _SHARD.fullmatch(text.strip())
    if not found or not 1 <= int(found[1]) <= int(found[2]) <= _MOST_SHARDS:
        raise ValueError(
            f"{text!r} is not a valid shard; use the form k/n with k from 1 to n, such as 2/5, and "
            f"at most {_MOST_SHARDS:,} shards"
        )
    return Shard(int(found[1]), int(found[2]))


def slug(text: str) -> str:
    """Letters, digits, `-`, `_` and `.`."""
    if not _SLUG.fullmatch(text):
        raise ValueError(f"{text!r} is not a valid name; use letters, digits, '-', '_' and '.'")
    return text


def only(text: str) -> tuple[str, tuple[str, ...]]:
    """`axis=value[,value]` as (axis, values)."""
    axis, _, values = text.partition("=")
    texts = tuple(value.strip() for value in values.split(",") if value.strip())
    if not axis.strip() or not texts:
        raise ValueError(
            f"{text!r} selects nothing; use the form axis=value[,value], such as "
            "light_direction=left,right, or image='shoes/*'"
        )
    return axis.strip(), texts
