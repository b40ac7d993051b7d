from __future__ import annotations

from typing import Any

import pytest

from relightflow.backends.emulator.config import (
    Config,
    ServerRate,
    parse_latency,
    parse_price,
    parse_rate,
)
from relightflow.errors import RefusedError, UsageError


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com"])
def test_address_that_others_can_reach_needs_to_be_allowed(host: Any) -> None:
    with pytest.raises(RefusedError, match="--allow-public-host"):
        Config(host=host)
    assert Config(host=host, allow_public_host=True).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_allowed(host: Any) -> None:
    assert Config(host=host).host == host


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("50/5s", ServerRate(50, 5)),
        ("60/1m", ServerRate(60, 60)),
        ("3/s", ServerRate(3, 1)),
        ("2/250ms", ServerRate(2, 0.25)),
    ],
)
def test_rate_is_calls_a_window(text: Any, rate: Any) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["50", "0/5s", "50/0s", "x/1s", "5/1d", "-1/s"])
def test_what_is_no_rate_is_told(text: Any) -> None:
    with pytest.raises(UsageError, match="such as 50/5s"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("text", "latency"),
    [("10.34", (10.34, 10.34)), ("8-12", (8, 12)), ("0", (0, 0)), ("typical", None)],
)
def test_latency_is_seconds_or_a_range(text: Any, latency: Any) -> None:
    assert parse_latency(text) == latency


@pytest.mark.parametrize("text", ["", "x", "-1", "9-8", "nan", "inf"])
def test_what_is_no_latency_is_told(text: Any) -> None:
    with pytest.raises(UsageError, match=r"such as 10\.34, 8-12 or typical"):
        parse_latency(text)


def test_price_is_a_model_and_dollars() -> None:
    assert parse_price("ic-light=0.04") == ("ic-light", 40_000)
    for text in ("ic-light", "ic-light=x", "ic-light=-1"):
        with pytest.raises(UsageError, match=r"such as ic-light=0\.04"):
            parse_price(text)


@pytest.mark.parametrize(
    "facts",
    [
        {"v1_shape": "xml"},
        {"envelope": "rows"},
        {"reset_format": "roman"},
        {"image": "huge"},
        {"upload_key": "links"},
        {"bad_value_status": 418},
    ],
)
def test_value_that_cannot_be_is_refused(facts: Any) -> None:
    with pytest.raises(UsageError):
        Config(**facts)
