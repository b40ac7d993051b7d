"""A row of the table as a fault plan, for the emulators that take one: Segmind, fal, Replicate, ComfyUI."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from benchmarks.reliability.grid.terms import Act

_CELL = {
    "segmind": {"light_type": "softbox"},
    "fal": {"light_direction": "front"},
    "replicate": {"light_source": "None"},
}
"""The first job, by what is sent for it."""
_AT: dict[str, Any] = {"poll": ["status", "result"]}
_MODELS = {
    "segmind": "segmind-relighting",
    "fal": "bria/fibo-edit/relight",
    "replicate": "zsxkib/ic-light",
}
_KEYS = {"fal": "other:key", "replicate": "r8_another"}
_REFUSALS: dict[str, dict[str, tuple[int, str]]] = {
    "segmind": {
        "malformed": (400, "Missing field"),
        "value": (406, "Invalid value for light_type"),
        "value as 500": (500, "Invalid light_type"),
        "no key": (401, "Missing Authorization or x-api-key in header"),
        "no model": (404, "Model not found"),
        "unheard of": (406, "Moon in Scorpio"),
    },
    "fal": {"malformed": (400, "Invalid JSON"), "no model": (404, "Not found")},
    "replicate": {
        "malformed": (400, "input: field required"),
        "value": (422, "light_source must be one of"),
        "no model": (404, "Not found"),
    },
    "comfyui": {
        "malformed": (400, "missing node"),
        "value": (400, "value not in list"),
        "forbidden": (403, "who are you"),
    },
}
"""What is said with which status, where the emulator has no setting for it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault plan (YAML, or empty) and the emulator's settings."""

    plan: str = ""
    config: dict[str, Any] = field(default_factory=dict)


def planned(act: Act, backend: str) -> Planned:
    """`act` as the emulator of `backend` takes it."""
    config: dict[str, Any] = {} if act.recorded else {"history_lag": 1e6}
    if act.kind == "nothing":
        return Planned(config=config)
    if act.kind == "refusal" and act.value not in _REFUSALS[backend]:
        settings = _settings(act.value, backend)
        if settings is not None:
            return Planned(config=config | settings)
    fault, options = _fault(act, backend)
    at: Any = _AT.get(act.phase, act.phase)
    if act.kind == "elsewhere":
        at = ["status" if backend == "replicate" else "result", "history"]
    elif act.kind in ("cost", "charge"):
        at = ["submit", "result"] if act.kind == "cost" else "submit"
    rule: dict[str, Any] = {"at": at, **_which(act, backend), "fault": fault}
    return Planned(
        yaml.safe_dump({"rules": [rule | ({"with": options} if options else {})]}), config
    )


def _which(act: Act, backend: str) -> dict[str, Any]:
    if act.cell and backend in _CELL:
        return {"where": _CELL[backend]}
    if act.cell:  # every call of a workflow looks alike
        return {"nth": 1}
    if not act.times:
        return {}
    return {"nth": 1} if act.phase == "submit" else {"limit": act.times}


def _settings(refusal: str, backend: str) -> dict[str, Any] | None:
    """What makes the emulator refuse so by itself; None: a fault does."""
    model = frozenset({_MODELS.get(backend, "")})
    found: dict[str, dict[str, Any]] = {
        "key": {"keys": frozenset({_KEYS.get(backend, "SG_" + "9" * 16)})},
        "forbidden": {"forbidden": model},
        "retired": {"retired": model},
        "credits": {"credits": 60_000 if backend == "segmind" else 0},
        "spend limit": {"spend_limit": 60_000},
    }
    return found.get(refusal)


def _fault(act: Act, backend: str) -> tuple[str, dict[str, Any]]:
    """The fault's name and its options."""
    submit = act.phase == "submit"
    match act.kind:
        case "refusal":
            code, message = _REFUSALS[backend][act.value]
            return "status", {"code": code, "message": message}
        case "status":
            told = {"code": act.value, "body": act.body}
            return "status", told | ({"billed": act.taken} if submit else {})
        case "reset" | "close":
            how = "reset" if act.kind == "reset" else "close"
            return "reset-after-body", {"billed": act.taken, "how": how}
        case "silent":
            return "hang", {"seconds": 3.0 if submit else 0.05}
        case "id" if backend == "comfyui":
            named = {} if act.value == "missing" else {"prompt_id": act.value}
            return "json", {"value": {"number": 1, "node_errors": {}} | named}
        case _:
            return _NAMES.get(act.kind, act.kind), _OPTIONS.get(act.kind, lambda _: {})(act.value)


_NAMES = {
    "id": "request-id", "limited": "rate-limit", "charge": "cost", "word": "unknown-status",
    "failed": "job-failed", "expired": "expire", "skew": "clock-skew", "links": "status-url",
    "elsewhere": "output-url", "type": "wrong-type",
}  # fmt: skip
_OPTIONS: dict[str, Any] = {
    "refuse": lambda _: {"seconds": 0},
    "bomb": lambda _: {"size": 73_400_320},
    "drip": lambda _: {"pieces": 4, "pause": 0.02},
    "id": lambda value: {"value": value},
    "limited": lambda value: {"reset": value},
    "cost": lambda value: {"value": value},
    "charge": lambda value: {"times": value},
    "failed": lambda value: {"error": value},
    "skew": lambda value: {"seconds": value},
    "links": lambda value: {"url": value},
    "elsewhere": lambda value: {"url": value},
    "redirect": lambda _: {"to": "http://localhost:{port}{path}"},
}
