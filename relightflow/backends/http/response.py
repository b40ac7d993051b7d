"""A provider's answer, as far as it was read; and what is read out of it without believing anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from relightflow.backends.http.sanitize import shown
from relightflow.model.money import Micros, micros

KEPT = 1 << 20
"""Bytes of an answer that are kept aside where it may have been paid for."""
MOVED = (307, 308)
"""Statuses that ask for the same request, method and body, at another place (RFC 9110, 15.4.8 and 15.4.9): nothing
was done with it here. 301, 302 and 303 prove no such thing: a server may answer so after it has done what was
asked for, and a client goes on with GET."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{7,127}")
_WORDS = ("error", "error_description", "message", "detail")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as far as it was read."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Looked up case-insensitively by aiohttp's own mapping; a plain dict must use our spelling."""
    body: bytes = b""
    late: float = 0.0
    """Seconds by which the server's clock was past the `Date` of the answer."""

    @property
    def text(self) -> str:
        """The provider's own words, safe to show; empty where there are none."""
        said = mapping(self.body)
        words = ": ".join(
            value for key in _WORDS if isinstance(value := said.get(key), str) and value
        )
        return shown(words or self.body[:20_000].decode("utf-8", "replace"))


def parsed(data: bytes) -> Any:
    """`data` as JSON without NaN; None where it is none, however it was broken."""
    try:
        return json.loads(data, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def mapping(data: bytes) -> dict[str, Any]:
    """`data` as a JSON object; an empty one where it is none."""
    found = parsed(data)
    return found if isinstance(found, dict) else {}


def own_detail(answer: Response) -> str | list[Any]:
    """The `detail` of an answer's JSON, text or a list; empty where there is none. A gateway's problem
    (RFC 9457) has one too, and beside it a `type` that no provider's answer has: it counts as none."""
    said = mapping(answer.body)
    found = said.get("detail")
    return found if isinstance(found, str | list) and "type" not in said else ""


def usable_id(value: object) -> str:
    """A request id that may stand in a URL path; empty for anything else."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def amount(value: object) -> Micros | None:
    """Dollars as a provider writes them; None where missing, NaN, negative or no number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return micros(value)
    except (ValueError, OverflowError, ArithmeticError):
        return None


def number(value: object) -> float | None:
    """A number as JSON has them; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def seed_of(found: Mapping[str, Any]) -> dict[str, int]:
    """The seed that a result names, as a detail of it; none where it names no usable one."""
    seed = found.get("seed")
    return {"seed": seed} if type(seed) is int and abs(seed) < 10**20 else {}


def first_url(places: Iterable[object]) -> str:
    """The first of `places` that is a web address; empty where none is."""
    return next(
        (p for p in places if isinstance(p, str) and p.startswith(("http://", "https://"))), ""
    )


def is_image_data(data: bytes) -> bool:
    """Whether `data` begins like an image that we deliver: PNG, JPEG or WebP."""
    return (
        data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))
        or (data[:4] == b"RIFF" and data[8:12] == b"WEBP")
    )  # fmt: skip
