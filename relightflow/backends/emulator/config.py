"""How an emulator is set up, and the words of the command line that say it.

`Config` is checked when it is made: a value that cannot be raises `UsageError` in words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path

from relightflow.backends.emulator.protocols import PROTOCOLS
from relightflow.errors import RefusedError, UsageError
from relightflow.model.money import Micros, micros

V1_SHAPES = ("bytes", "json-base64", "json-url", "json-urls", "json-images")
"""How a v1 answer brings the image; all were seen in the wild."""
ENVELOPES = ("list", "data", "results", "items")
RESET_FORMATS = ("iso-z", "iso-offset", "iso", "space", "epoch", "epoch-ms", "http-date")
IMAGES = ("preview", "tiny")
HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class ServerRate:
    """So many calls in a window of so many seconds; the window opens with its first call."""

    calls: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Config:
    """Everything one emulator can be told."""

    protocol: str = "segmind"
    """Whose API is served."""
    host: str = "127.0.0.1"
    port: int = 0
    """0: a free one."""
    allow_public_host: bool = False
    seed: int = 0
    """Governs latency, prices in a range and faults; request ids are always new."""
    latency: tuple[float, float] | None = (0.2, 0.2)
    """Seconds a call takes, lowest and highest; None: the model's typical time."""
    rate: ServerRate | None = None
    rate_counts_polls: bool = False
    reset_format: str = "iso-z"
    """How `x-rate-limit-reset-at-utc` is written."""
    credits: Micros = 100_000_000
    free_credits: Micros = 0
    spend_limit: Micros | None = None
    prices: Mapping[str, Micros] = field(default_factory=dict)
    """Model → price of a call; others cost what the catalogue says."""
    keys: frozenset[str] = frozenset()
    """The keys that are accepted; empty: any well-formed one."""
    v1_shape: str = "bytes"
    v1_only: frozenset[str] = frozenset()
    """Models that v2 does not know."""
    no_v2: bool = False
    forbidden: frozenset[str] = frozenset()
    """Models that answer 403."""
    retired: frozenset[str] = frozenset()
    """Models that answer 410."""
    bad_value_status: int = 406
    """The answer to a parameter value that is not allowed: 400, 406 or 500."""
    record_life: float = HOUR
    """Seconds after which both GETs of a v2 request say 404."""
    output_life: float = 7 * DAY
    asset_life: float | None = None
    """Seconds an uploaded image is served; None: for ever."""
    upload_key: str = "file_urls"
    """`urls` in an older page."""
    envelope: str = "data"
    history_lag: float = 0.0
    """Seconds until a request is in the history."""
    history_lag_requests: int = 0
    """Newest requests that are not in the history yet."""
    history_body_as_text: bool = False
    """The history's `request_body` as JSON text instead of an object."""
    clock_skew: float = 0.0
    """Seconds by which the server's own clock is ahead."""
    image: str = "preview"
    """`preview` renders; `tiny` is one small ready-made JPEG, for load tests."""
    declared: tuple[Path, ...] = ()
    """Files of models that the operator declared (as `relightflow models add` takes them): offered too."""
    faults: Path | None = None
    journal: Path | None = None
    """Append-only bill, one JSON line a billed call."""

    def __post_init__(self) -> None:
        if not self.allow_public_host and not is_loopback(self.host):
            raise RefusedError(
                f"the emulator would listen on {self.host}, which other machines can reach; use "
                "--allow-public-host to allow it"
            )
        _one_of("protocol", self.protocol, tuple(PROTOCOLS))
        if PROTOCOLS[self.protocol].plain:
            self._check_plain()
        _one_of("v1 shape", self.v1_shape, V1_SHAPES)
        _one_of("history envelope", self.envelope, ENVELOPES)
        _one_of("reset format", self.reset_format, RESET_FORMATS)
        _one_of("image", self.image, IMAGES)
        _one_of("upload key", self.upload_key, ("file_urls", "urls"))
        if self.bad_value_status not in (400, 406, 500):
            raise UsageError("a refused value is answered with 400, 406 or 500")

    def _check_plain(self) -> None:
        """Raises UsageError where something is asked for that would be passed over."""
        taken = ("protocol", "port", "latency", "keys")
        unset = Config()
        others = [f.name for f in fields(self) if f.name not in taken]
        if (
            any(getattr(self, name) != getattr(unset, name) for name in others)
            or len(self.keys) > 1
        ):
            raise UsageError(
                f"--protocol {self.protocol} takes --port, --latency and one --key only"
            )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`. Names other than localhost are not asked for."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


_RATE = re.compile(r"(\d+)/(\d+(?:\.\d+)?)?(ms|s|m|h)")
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": HOUR}


def parse_rate(text: str) -> ServerRate:
    """`50/5s`, `60/m`: calls a window. Raises UsageError."""
    found = _RATE.fullmatch(text.strip())
    if not found or not int(found[1]) or not float(found[2] or 1):
        raise UsageError(
            f"{text!r} is not a valid rate; use the form calls/window, such as 50/5s or 60/1m"
        )
    return ServerRate(int(found[1]), float(found[2] or 1) * _UNIT[found[3]])


def parse_latency(text: str) -> tuple[float, float] | None:
    """`10.34`, `8-12` (seconds) or `typical`. Raises UsageError."""
    if text.strip() == "typical":
        return None
    low, _, high = text.partition("-")
    try:
        pair = (float(low), float(high or low))
    except ValueError:
        pair = (1.0, 0.0)
    if not 0 <= pair[0] <= pair[1] < DAY:
        raise UsageError(
            f"{text!r} is not a valid latency; use seconds, such as 10.34, 8-12 or typical"
        )
    return pair


def parse_price(text: str) -> tuple[str, Micros]:
    """`segmind-relighting=0.05`: a model and what a call costs. Raises UsageError."""
    model, _, price = text.partition("=")
    try:
        return model, micros(price)
    except ValueError:
        raise UsageError(
            f"{text!r} is not a valid price; use the form MODEL=USD, such as ic-light=0.04"
        ) from None


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"{value!r} is not a valid {what}; known: {', '.join(known)}")
