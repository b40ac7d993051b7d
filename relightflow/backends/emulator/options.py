"""The emulator's options, each once: the command line, its help and `python -m` all read this table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relightflow.backends.emulator.config import (
    ENVELOPES,
    IMAGES,
    RESET_FORMATS,
    V1_SHAPES,
    Config,
    parse_latency,
    parse_price,
    parse_rate,
)
from relightflow.backends.emulator.protocols import PROTOCOLS
from relightflow.errors import UsageError
from relightflow.model.money import micros


@dataclass(frozen=True, slots=True)
class Option:
    """One option and the `Config` field that it sets."""

    name: str
    """Such as `--port`."""
    field: str
    read: Callable[[str], Any] | None
    """Text to value; None: a flag."""
    help: str
    metavar: str = ""
    many: bool = False
    """May be given several times."""


def _among(known: tuple[str, ...]) -> str:
    return "|".join(known)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a number") from None


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"{text!r} is not an integer") from None


def _usd(text: str) -> int:
    try:
        return micros(text)
    except ValueError as problem:
        raise UsageError(str(problem)) from None


OPTIONS = (
    Option("--protocol", "protocol", str, "Whose API to serve.", _among(tuple(PROTOCOLS))),
    Option("--port", "port", _whole, "Port to listen on; 0 selects a free one.", "PORT"),
    Option("--host", "host", str, "Address to listen on; loopback unless allowed.", "HOST"),
    Option(
        "--allow-public-host",
        "allow_public_host",
        None,
        "Allow an address that other machines can reach.",
    ),
    Option("--seed", "seed", _whole, "Seed for latency, prices and faults.", "N"),
    Option(
        "--latency",
        "latency",
        parse_latency,
        "Duration of a call in seconds: 10.34, 8-12 or typical.",
        "SECONDS",
    ),
    Option("--rate", "rate", parse_rate, "Calls per window, such as 50/5s.", "N/WINDOW"),
    Option(
        "--rate-counts-polls", "rate_counts_polls", None, "Count polls against the rate as well."
    ),
    Option(
        "--reset-format",
        "reset_format",
        str,
        "Format of the reset time in a 429.",
        _among(RESET_FORMATS),
    ),
    Option("--credits", "credits", _usd, "Balance of the account.", "USD"),
    Option("--free-credits", "free_credits", _usd, "Free credits to show.", "USD"),
    Option("--spend-limit", "spend_limit", _usd, "Team spend limit.", "USD"),
    Option(
        "--price",
        "prices",
        parse_price,
        "Price of a call to a model. Repeatable.",
        "MODEL=USD",
        many=True,
    ),
    Option(
        "--key",
        "keys",
        str,
        "Accept only this key; default: any well-formed key. Repeatable.",
        "KEY",
        many=True,
    ),
    Option("--v1", "v1_shape", str, "How v1 returns the image.", _among(V1_SHAPES)),
    Option(
        "--v1-only", "v1_only", str, "A model without a v2 route. Repeatable.", "MODEL", many=True
    ),
    Option("--no-v2", "no_v2", None, "No model has a v2 route."),
    Option(
        "--forbidden",
        "forbidden",
        str,
        "A model that answers 403. Repeatable.",
        "MODEL",
        many=True,
    ),
    Option(
        "--retired",
        "retired",
        str,
        "A model that answers 410. Repeatable.",
        "MODEL",
        many=True,
    ),
    Option(
        "--bad-value-status",
        "bad_value_status",
        _whole,
        "Status for a refused value.",
        "400|406|500",
    ),
    Option("--record-life", "record_life", _number, "Lifetime of a v2 request.", "SECONDS"),
    Option("--output-life", "output_life", _number, "Lifetime of a result file.", "SECONDS"),
    Option("--asset-life", "asset_life", _number, "Lifetime of an upload.", "SECONDS"),
    Option(
        "--upload-key", "upload_key", str, "Key in the response to an upload.", "file_urls|urls"
    ),
    Option("--envelope", "envelope", str, "Format of a history page.", _among(ENVELOPES)),
    Option("--history-lag", "history_lag", _number, "Lag of the history.", "SECONDS"),
    Option(
        "--history-lag-requests",
        "history_lag_requests",
        _whole,
        "Number of newest requests missing from the history.",
        "N",
    ),
    Option("--history-body-as-text", "history_body_as_text", None, "request_body as JSON text."),
    Option(
        "--clock-skew", "clock_skew", _number, "How far the server's clock is ahead.", "SECONDS"
    ),
    Option("--image", "image", str, "Results: real previews, or one fixed JPEG.", _among(IMAGES)),
    Option(
        "--model", "declared", Path, "A declared model to offer too. Repeatable.", "FILE", many=True
    ),
    Option("--faults", "faults", Path, "A fault plan.", "PLAN.yaml"),
    Option("--journal", "journal", Path, "Append-only bill.", "FILE"),
)


def config(arguments: Sequence[str]) -> Config:
    """`arguments` (`--name value`, `--name=value`) as a Config. Raises UsageError."""
    known = {option.name: option for option in OPTIONS}
    given: list[tuple[Option, str]] = []
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        option = known.get(name)
        if option is None:
            raise UsageError(f"unknown option {name!r}; known: {', '.join(known)}")
        if option.read is not None and not equals:
            if not rest:
                raise UsageError(f"{name} needs a value: {option.metavar}")
            value = rest.pop(0)
        given.append((option, value))
    return assemble(given)


def assemble(given: Sequence[tuple[Option, str]]) -> Config:
    """Options with their texts as a Config; of an option that is given twice the last one holds."""
    facts: dict[str, Any] = {}
    for option, text in given:
        value = True if option.read is None else option.read(text)
        if option.many:
            facts.setdefault(option.field, []).append(value)
        else:
            facts[option.field] = value
    for option in OPTIONS:
        if option.many and option.field in facts:
            gathered = facts[option.field]
            as_kept = {"prices": dict, "declared": tuple}.get(option.field, frozenset)
            facts[option.field] = as_kept(gathered)
    return Config(**facts)
