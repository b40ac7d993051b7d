"""The blob store's index read as a history: the last thing that it knows of every attempt. Pure.

Its lines may have been damaged, edited or planted, so each is checked before it counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from relightflow.model.attempt import State
from relightflow.model.failure import Billed, FailureKind

_CLOSED = (State.READY, State.FAILED)
_NUMBER = (int, float)
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("key", "backend", "model", "image_sha256", "sha256", "media_type"), (str,)),
    **dict.fromkeys(("request_id", "reason", "attempt", "run", "recipe", "plan"), (str,)),
    **dict.fromkeys(("repeat", "price", "size", "width", "height"), (int,)),
    **dict.fromkeys(("parameters", "details"), (dict,)),
    **dict.fromkeys(("cost", "floor"), (int, type(None))),
    "at": _NUMBER,
}
_NAMES: dict[str, Collection[str]] = {
    "event": frozenset(State),
    "billed": frozenset(Billed),
    "kind": frozenset(FailureKind),
}
_LABEL = ("key", "backend", "model", "image_sha256", "parameters", "repeat", "price")
_FIRST = ("at", "run", "recipe", "plan")
"""What the first line of an attempt says of it stands, whatever a later one says."""


def is_sound(entry: Mapping[str, Any]) -> bool:
    """Whether a line of the index says something that a ledger can hold."""
    for name, value in entry.items():
        types = _TYPES.get(name)
        if types and (not isinstance(value, types) or isinstance(value, bool)):
            return False
        if isinstance(value, int) and not 0 <= value < 1 << 62:
            return False
        if isinstance(value, float) and not 0 <= value < 1e12:  # not NaN either
            return False
        if name in _NAMES and (not isinstance(value, str) or value not in _NAMES[name]):
            return False
    if "event" not in entry and not isinstance(entry.get("sha256"), str):
        return False  # neither a step of a call nor a blob
    return "backend" not in entry or all(name in entry for name in _LABEL)


def attempts_of(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every attempt, oldest first: the facts of its lines, and `state`, the last one told.

    A line names its attempt. One of relightflow 0.1.0 does not: there an INTENT begins an attempt,
    and whatever names the same job afterwards is about the latest one.
    """
    attempts: list[dict[str, Any]] = []
    latest: dict[str, dict[str, Any]] = {}
    named: dict[str, dict[str, Any]] = {}
    for entry in entries:
        key = entry.get("key")
        if not isinstance(key, str):
            continue
        uuid, event = entry.get("attempt", ""), entry.get("event")
        begins = uuid not in named if uuid else event == State.INTENT or key not in latest
        if begins:
            if key in latest and event == State.INTENT:
                _yield_to(latest[key])
            latest[key] = {"state": State.INTENT, **entry}
            attempts.append(latest[key])
            if uuid:
                named[uuid] = latest[key]
        _tell(named[uuid] if uuid else latest[key], entry)
    return attempts


def _tell(attempt: dict[str, Any], entry: Mapping[str, Any]) -> None:
    """One more line about `attempt`."""
    facts = {name: value for name, value in entry.items() if value not in (None, "")}
    for name in _FIRST:
        if name in attempt:
            facts.pop(name, None)
    if isinstance(facts.get("details"), Mapping):  # each step's, as the ledger keeps them together
        facts["details"] = {**(attempt.get("details") or {}), **facts["details"]}
    if "event" in entry:
        attempt |= facts | {"state": State(entry["event"])}
    elif entry.get("aside"):
        attempt |= {"kept": entry["sha256"]}
    elif attempt["state"] is State.STORED and attempt.get("sha256") == entry["sha256"]:
        attempt |= facts  # the same bytes, put back
    else:
        if "billed" not in entry:
            attempt.pop("billed", None)  # a doubt that was settled by what came
        attempt |= facts | {"state": State.STORED}


def _yield_to(attempt: dict[str, Any]) -> None:
    """A later call for the same job was allowed, so this attempt was closed by then."""
    if attempt["state"] in (State.STORED, State.PAID_UNFETCHED):
        attempt["billed"] = Billed.YES
    if attempt["state"] not in _CLOSED:
        attempt |= {"state": State.READY, "reason": "abandoned before the job was submitted again"}
    elif attempt.get("billed") != Billed.NO:  # paid without an image, until its owner's word
        attempt["state"] = State.READY
