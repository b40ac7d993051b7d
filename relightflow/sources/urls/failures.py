"""Why a server did not give an image, in words that tell what to do. Pure.

A link that was signed for a time says so in its query (Amazon's, Google's and Azure's forms), and
servers call it forbidden when that time is over: people must read "expired", not "missing". The time
that counts is the server's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

from relightflow.network.webaddress import WebAddress

_FINAL = frozenset({501, 505, 506, 510, 511})
"""Statuses over 499 that another try does not change."""
_DENIED = frozenset({400, 401, 403, 404, 410})
_SIGNED = frozenset(
    {
        "x-amz-signature",
        "x-amz-security-token",
        "x-goog-signature",
        "x-oss-signature",
        "signature",
        "sig",
        "hmac",
        "token",
        "access_token",
        "expires",
        "key-pair-id",
    }
)


def passing(status: int) -> bool:
    """Whether the same request may well succeed in a moment."""
    return status in (408, 425, 429) or (500 <= status < 600 and status not in _FINAL)


def why(status: int, address: WebAddress, headers: Mapping[str, str], body: bytes) -> str:
    """What a status other than 200 says about an image. `body`: its beginning."""
    if expired(status, address, headers, body):
        return f"the credential in the URL has expired ({status}): get a new URL"
    if status in (404, 410):
        return f"not found ({status}): correct the URL or remove it"
    if status in (401, 403):
        if address.user or _query(address).keys() & _SIGNED:
            words = "the credential in the URL was refused"
        else:
            words = "the server requires a credential"
        return f"{words} ({status}): get a new URL"
    if passing(status):
        return f"the server is unavailable ({status}): try again later"
    return f"the server did not return an image (status {status})"


def expired(status: int, address: WebAddress, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether an address was signed for a time that is over, by the server's own clock."""
    if status not in _DENIED:
        return False
    now = date(headers.get("Date", ""))
    until = expiry(_query(address))
    if now and until and status != 404:
        return until <= now
    return status not in (404, 410) and bool(re.search(rb"expired", body, re.IGNORECASE))


def expiry(query: Mapping[str, str]) -> datetime | None:
    """Until when a signed link says that it holds; None where it does not say."""
    for maker in ("x-amz", "x-goog"):
        begun, length = query.get(f"{maker}-date", ""), query.get(f"{maker}-expires", "")
        if re.fullmatch(r"\d{8}T\d{6}Z", begun) and re.fullmatch(r"\d{1,9}", length):
            return _moment(begun, timedelta(seconds=int(length)))
    if re.fullmatch(r"\d{9,11}", unix := query.get("expires", "")):
        return datetime.fromtimestamp(int(unix), UTC)
    if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]+Z", azure := query.get("se", "")):
        return _moment(azure, timedelta())
    return None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a server asks to wait, which it says as a number or as a time of its own clock
    (RFC 9110, 10.2.3); None where it does not say. `now`: Unix seconds, where it tells no time."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    until = date(text)
    if until is None:
        return None
    begun = date(headers.get("Date", ""))
    return max(0.0, until.timestamp() - (begun.timestamp() if begun else now))


def date(text: str) -> datetime | None:
    """A time as HTTP writes it; None for anything else."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _moment(text: str, more: timedelta) -> datetime | None:
    try:
        return datetime.fromisoformat(text) + more
    except (ValueError, OverflowError):
        return None


def _query(address: WebAddress) -> dict[str, str]:
    return {name.lower(): value for name, value in parse_qsl(address.query[1:])}
