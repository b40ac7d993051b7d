"""Reads what the provider's answers hold: costs, images, URLs. Pure; believes nothing.

Shapes: the v1 JSON answers seen in the wild, and v2's documented result.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from relightflow.backends.http.response import amount, first_url, is_image_data, seed_of
from relightflow.model.money import Micros
from relightflow.model.values import FrozenMap

_SEED = re.compile(r"-?\d{1,20}")
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?")
_FACTS = ("inference_time", "queue_time", "total_time", "retry_count")


def header_details(headers: Mapping[str, str]) -> FrozenMap:
    """Seed and time of a v1 answer, if they are what they should be."""
    facts: dict[str, Any] = {}
    if seed := _SEED.fullmatch(headers.get("x-seed-value", "").strip()):
        facts["seed"] = int(seed[0])
    if time := _SECONDS.fullmatch(headers.get("x-generation-time", "").strip()):
        facts["generation_time"] = float(time[0])
    return FrozenMap(facts)


def result_details(answer: Mapping[str, Any]) -> FrozenMap:
    """Seed and timings of a v2 result."""
    metrics = _metrics(answer)
    facts = {name: metrics[name] for name in _FACTS if _is_number(metrics.get(name))}
    return FrozenMap({**seed_of(answer), **facts})


def result_cost(answer: Mapping[str, Any]) -> Micros | None:
    return amount(_metrics(answer).get("cost"))


def server_seconds(answer: Mapping[str, Any]) -> float | None:
    """How long the provider says the job took, queue included."""
    total = _metrics(answer).get("total_time")
    return float(total) if _is_number(total) and 0 <= total < 86_400 else None


def output_url(answer: Any) -> str:
    """The first URL in any of the known shapes; empty where there is none."""
    return first_url(_outputs(answer))


def inline_image(answer: Any) -> bytes:
    """The first base64 image in any of the known shapes; empty where there is none."""
    for value in _outputs(answer):
        if isinstance(value, str) and not value.startswith(("http://", "https://")):
            text = (
                value.split(",", 1)[1] if value[:5].lower() == "data:" and "," in value else value
            )
            try:
                data = base64.b64decode("".join(text.split()), validate=True)
            except (binascii.Error, ValueError):
                continue
            if is_image_data(data):
                return data
    return b""


def _outputs(answer: Any) -> list[Any]:
    """Every place of the known shapes where an image or its URL may stand, in order."""
    if isinstance(answer, list):
        answer = {"output": answer}
    if not isinstance(answer, dict):
        return []
    places: list[Any] = []
    for name in ("output", "image", "images", "image_url", "url"):
        value = answer.get(name)
        places += value if isinstance(value, list) else [value]
    return [p.get("url", p.get("image")) if isinstance(p, dict) else p for p in places]


def _metrics(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    metrics = answer.get("metrics")
    return metrics if isinstance(metrics, dict) else {}


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12
