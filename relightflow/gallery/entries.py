"""A manifest's records, read strictly: what the gallery shows of each output. Untrusted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from relightflow.errors import UsageError
from relightflow.model.money import Micros, micros
from relightflow.model.values import FrozenMap, Parameters

STATUSES = ("done", "failed", "unknown", "pending", "missing")
_BILLED = ("yes", "no", "unknown")
_VERDICTS = ("pass", "fail", "unsure", "error")
_SEVERITIES = ("info", "warn", "fail")
_MOST_CHECKS = 100
"""Verdicts on one result."""
_MOST_BACKENDS = 100
LONGEST = 1 << 20
"""Bytes of one line."""
MOST = 100_000
"""Outputs on one page."""
_SHA256 = re.compile("[0-9a-f]{64}")
_JOB = re.compile("[0-9a-f]{16}")
_LARGEST_NUMBER = 1e300
"""Of a parameter: what a browser can hold as a number."""


class _NoRecord(ValueError):
    """A record is not what a manifest holds; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class ManifestHead:
    """A manifest's first record."""

    recipe: str
    sha256: str
    """Of the recipe's file."""
    backend: str
    model: str
    models: tuple[tuple[str, str], ...] = ()
    """Of a recipe with several backends: value of the axis `backend` → backend and model; else empty."""


@dataclass(frozen=True, slots=True)
class Input:
    """The image that was relit."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Unused:
    """An image that could not be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckNote:
    """What a check says of a result."""

    name: str
    verdict: str
    severity: str
    words: str
    """What is wrong, and what was measured; empty where it passes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One output."""

    job: str
    """16 hex digits."""
    input: Input
    cell: Parameters
    repeat: int
    status: str
    sha256: str = ""
    """Of the result; empty where there is none."""
    size: int = 0
    """Bytes."""
    width: int = 0
    height: int = 0
    media_type: str = ""
    path: str = ""
    """Where a sink put it, relative to the sink."""
    delivered: int = 0
    """Bytes of the file at `path`, where it is a copy in another form; 0: it is the result."""
    cost: Micros | None = None
    reason: str = ""
    billed: str = ""
    checks: tuple[CheckNote, ...] = ()


Record = ManifestHead | Entry | Unused


def read_lines(lines: Iterable[bytes], name: str) -> Iterator[Record]:
    """The records of a manifest file. Raises UsageError, naming `name` and the line."""
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST:
            raise UsageError(f"{name}:{number}: this line is too long for a manifest")
        if not line.strip():
            continue
        try:
            yield record(json.loads(line))
        except (ValueError, RecursionError) as problem:
            words = str(problem) if isinstance(problem, _NoRecord) else "not valid JSON"
            raise UsageError(
                f"{name}:{number}: this is not a record of a manifest: {words}"
            ) from None


def record(found: Any) -> Record:
    """One record, checked. Raises ValueError with what is wrong."""
    if not isinstance(found, Mapping):
        raise _NoRecord("not an object")
    kind = found.get("record")
    if kind == "output":
        return _entry(found)
    if kind == "recipe":
        return _head(found)
    if kind == "rejected":
        return Unused(_text(_mapping(found, "source"), "name"), _text(found, "error"))
    raise _NoRecord("'record' is none of recipe, output, rejected")


def _head(found: Mapping[str, Any]) -> ManifestHead:
    if found.get("format") != 1:
        raise _NoRecord("its format is newer; upgrade relightflow")
    recipe = _mapping(found, "recipe")
    sha256 = _hash(recipe, "sha256", _SHA256)
    backend, model = _text(found, "backend"), _text(found, "model")
    listed = found.get("backends", [])
    if not isinstance(listed, list | tuple) or len(listed) > _MOST_BACKENDS:
        raise _NoRecord("'backends' is not a list of backends")
    return ManifestHead(_text(recipe, "name"), sha256, backend, model, tuple(map(_backend, listed)))


def _backend(found: Any) -> tuple[str, str]:
    if not isinstance(found, Mapping):
        raise _NoRecord("'backends' is not a list of backends")
    backend, model = _text(found, "backend"), _text(found, "model")
    return _text(found, "label"), backend if backend == model else f"{backend} {model}"


def _entry(found: Mapping[str, Any]) -> Entry:
    source = _mapping(found, "source")
    status = found.get("status")
    if status not in STATUSES:
        raise _NoRecord(f"'status' is none of {', '.join(STATUSES)}")
    error = _mapping(found, "error") if found.get("error") else {}
    billed = str(error.get("billed", ""))
    made = status == "done"
    copy = found.get("delivered") if made else None
    return Entry(
        job=_hash(found, "job", _JOB),
        input=Input(_text(source, "name"), _hash(source, "sha256", _SHA256)),
        cell=_cell(found),
        repeat=_whole(found, "repeat"),
        status=status,
        sha256=_hash(found, "sha256", _SHA256) if made else "",
        size=_whole(found, "size") if made else 0,
        width=_whole(found, "width") if made else 0,
        height=_whole(found, "height") if made else 0,
        media_type=_text(found, "media_type") if made else "",
        path=_text(found, "path") if made and "path" in found else "",
        delivered=_whole(copy, "size") if isinstance(copy, Mapping) else 0,
        cost=_cost(found),
        reason=_text(error, "message") if error else "",
        billed=billed if billed in _BILLED else "",
        checks=_checks(found) if made else (),
    )


def _checks(found: Mapping[str, Any]) -> tuple[CheckNote, ...]:
    listed = found.get("checks", [])
    if not isinstance(listed, list | tuple) or len(listed) > _MOST_CHECKS:
        raise _NoRecord("'checks' is not a list of verdicts")
    return tuple(map(_check, listed))


def _check(found: Any) -> CheckNote:
    if not isinstance(found, Mapping) or found.get("verdict") not in _VERDICTS:
        raise _NoRecord(f"a check's 'verdict' is none of {', '.join(_VERDICTS)}")
    verdict, severity = str(found["verdict"]), found.get("severity", "fail")
    if severity not in _SEVERITIES:
        raise _NoRecord(f"a check's 'severity' is none of {', '.join(_SEVERITIES)}")
    words = "" if verdict == "pass" else _measured(found)
    return CheckNote(_text(found, "name"), verdict, str(severity), words)


def _measured(found: Mapping[str, Any]) -> str:
    """The message, with the value and the bound."""
    message = _text(found, "message") if "message" in found else ""
    value, bound = found.get("value"), found.get("bound")
    for number in (value, bound):
        if not _is_scalar(number) or (isinstance(number, str) and len(number) > 1000):
            raise _NoRecord("a check's 'value' or 'bound' is neither a number nor a short text")
    if value is None:
        return message
    unit = f" {_text(found, 'unit')}" if "unit" in found else ""
    limit = "" if bound is None else f", bound {bound}"
    return f"{message} ({value}{unit}{limit})"


def _cell(found: Mapping[str, Any]) -> Parameters:
    cell = _mapping(found, "cell")
    if not all(map(_is_scalar, cell.values())) or len(cell) > 100:
        raise _NoRecord("'cell' does not map parameters to single values")
    return cell if isinstance(cell, FrozenMap) else FrozenMap(cell)


def _is_scalar(value: object) -> bool:
    if isinstance(value, int | float):
        return -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER  # NaN is not in between
    return value is None or isinstance(value, str)


def _cost(found: Mapping[str, Any]) -> Micros | None:
    cost = found.get("cost")
    if cost is None:
        return None
    if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost <= 1e6:
        raise _NoRecord("'cost' is not an amount of dollars")
    return micros(cost)


def _mapping(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    if not isinstance(value, Mapping):
        raise _NoRecord(f"'{name}' is not an object")
    return value


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or len(value) > 10_000:
        raise _NoRecord(f"'{name}' is not a text")
    return value


def _hash(found: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _NoRecord(f"'{name}' is not a hash")
    return value


def _whole(found: Mapping[str, Any], name: str) -> int:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise _NoRecord(f"'{name}' is not an integer")
    return value
