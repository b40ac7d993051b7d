"""Values of a provider's records, read without believing anything. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from relightflow.backends.http.response import parsed


def moment(value: Any) -> float | None:
    """Unix seconds of a timestamp: ISO 8601 (no zone: UTC), or a number of seconds or milliseconds."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        if not 0 < value < 1e15:  # NaN too, and whole numbers that no float can hold
            return None
        return float(value / 1000 if value > 1e11 else value)
    try:
        when = datetime.fromisoformat(text(value).strip())
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def json_object(value: Any) -> Mapping[str, Any] | None:
    """An object, also where it stands as JSON text; None for anything else."""
    if isinstance(value, str):
        value = parsed(value.encode("utf-8", "surrogatepass"))
    return value if isinstance(value, dict) else None


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""
