"""What the blob store's index and the shared store say of a job and of its result: the one codec.

An entry is a JSON object. The job's facts come first, so that a lost ledger can be recreated; a
result's entry has the facts of the result beside them. Entries are read back strictly, because the
files may have been edited or planted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from relightflow.model.job import Job
from relightflow.model.money import Micros
from relightflow.model.outcome import Result
from relightflow.model.values import FrozenMap

MOST = 1 << 53
"""Larger whole numbers are not read back: JSON in other hands does not keep them."""


def job_facts(job: Job, price: Micros) -> dict[str, Any]:
    """What the job is, and the highest `price` of its call."""
    return {
        "key": job.key,
        "backend": job.backend,
        "model": job.model,
        "image_sha256": job.image.sha256,
        "parameters": job.parameters,
        "repeat": job.repeat,
        "price": price,
    }


def attempt_facts(uuid: str, run_id: str = "", recipe: str = "", plan: str = "") -> dict[str, Any]:
    """Which attempt an entry is about, and what it was made for: the run, the recipe, and the sha256 of
    the plan file, where one was applied."""
    facts = {"attempt": uuid, "run": run_id, "recipe": recipe, "plan": plan}
    return {name: value for name, value in facts.items() if value}


def result_facts(result: Result, cost: Micros | None) -> dict[str, Any]:
    """What the result is. `cost`: what was charged; None: the provider did not say."""
    return {
        "cost": cost,
        "request_id": result.request_id,
        "size": result.size,
        "width": result.width,
        "height": result.height,
        "media_type": result.media_type,
        "details": result.details,
    }


def read_result(entry: Mapping[str, Any], cost: Micros) -> Result | None:
    """The result that an entry describes, charged at `cost`; None where it describes none."""
    sha256, media_type = entry.get("sha256"), entry.get("media_type")
    sizes = [entry.get(name) for name in ("size", "width", "height")]
    if not (isinstance(sha256, str) and isinstance(media_type, str) and all(map(_count, sizes))):
        return None
    size, width, height = (int(value or 0) for value in sizes)
    return Result(
        sha256, size, width, height, media_type, read_request_id(entry), cost, read_details(entry)
    )


def read_cost(entry: Mapping[str, Any]) -> Micros | None:
    """What was charged, in micro-dollars; None where the entry does not say so soundly."""
    return read_money(entry, "cost")


def read_money(entry: Mapping[str, Any], name: str) -> Micros | None:
    """An amount in micro-dollars; None where the entry does not say so soundly."""
    amount = entry.get(name)
    return amount if _count(amount) else None


def read_request_id(entry: Mapping[str, Any]) -> str:
    """The provider's id of the call; empty where there is none."""
    request_id = entry.get("request_id")
    return request_id if isinstance(request_id, str) else ""


def read_details(entry: Mapping[str, Any]) -> FrozenMap:
    """What the adapter noted; empty where there is nothing sound."""
    details = entry.get("details")
    return FrozenMap(details) if isinstance(details, dict) else FrozenMap()


def read_time(entry: Mapping[str, Any]) -> float:
    """When it was, in Unix seconds; 0 where the entry does not say so soundly."""
    at = entry.get("at")
    sound = isinstance(at, int | float) and not isinstance(at, bool) and 0 <= at < 1e11
    return float(at) if sound and at is not None else 0.0


def decoded(data: bytes | str) -> dict[str, Any] | None:
    """The JSON object in `data`; None for anything else, nested too deep, or with a number that JSON
    cannot say (NaN, infinities), which could not be written down again."""
    try:
        entry = json.loads(data, parse_constant=_refused, parse_float=_finite)
        json.dumps(entry)  # what was not too deep to be read may be too deep to be written
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is not a number of JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refused(digits)


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value < MOST
