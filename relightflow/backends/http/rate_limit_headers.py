"""When a rate limit ends, from the answer's own headers: immune to a wrong clock on either side."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

RESET = "x-rate-limit-reset-at-utc"
_MILLISECONDS_FROM = 1e11
"""An epoch number over this is in milliseconds: as seconds it would be the year 5138."""


def date_of(headers: Mapping[str, str]) -> float | None:
    """The answer's `Date` in Unix seconds; None where it has no usable one."""
    return _moment(headers.get("Date", ""))


def reset_after(
    headers: Mapping[str, str], now: float | None = None, late: float = 0.0
) -> float | None:
    """Seconds until the limit ends, at least 0; None where the answer does not say.

    The reset time minus the same answer's `Date`, so that clock skew cancels out; `now` (Unix
    seconds) stands in where there is no usable `Date`. `late`: how far the server's clock was past
    its `Date`, which has whole seconds. How long is too long is the rate limiter's to judge.
    """
    at = _moment(headers.get(RESET, ""))
    sent = date_of(headers)
    sent = now if sent is None else sent + late
    if at is not None and sent is not None:
        return max(0.0, at - sent)
    return _delta(headers.get("Retry-After", ""), sent)


def _delta(text: str, sent: float | None) -> float | None:
    """`Retry-After`, which the provider does not document but a proxy may send."""
    if re.fullmatch(r"\d{1,9}", text.strip()):
        return float(text)
    at = _http_date(text)
    return None if at is None or sent is None else max(0.0, at - sent)


@lru_cache(maxsize=64)
def _moment(text: str) -> float | None:
    """Unix seconds of ISO 8601 (no zone: UTC), `YYYY-MM-DD HH:MM:SS`, epoch s or ms, HTTP date."""
    text = text.strip()
    if not text or len(text) > 64:
        return None
    if re.fullmatch(r"\d{9,16}(\.\d{1,9})?", text):
        number = float(text)
        return number / 1000 if number > _MILLISECONDS_FROM else number
    iso = re.sub(r"\s*(UTC|GMT)$", "+00:00", text, flags=re.IGNORECASE)
    try:
        return _seconds(datetime.fromisoformat(iso))
    except (ValueError, OverflowError):
        return _http_date(text)


def _http_date(text: str) -> float | None:
    try:
        return _seconds(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _seconds(when: datetime) -> float | None:
    seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return seconds if math.isfinite(seconds) and seconds > 0 else None
