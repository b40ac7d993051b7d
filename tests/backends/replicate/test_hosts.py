from __future__ import annotations

import math

import pytest

from relightflow.backends.http.hosts import refusal
from relightflow.backends.replicate.hosts import (
    OVERRIDE,
    SETTLING,
    ReplicateHosts,
    from_environment,
)
from relightflow.errors import UsageError


def test_results_come_from_its_delivery_hosts_alone() -> None:
    hosts = ReplicateHosts()
    for url in ("https://replicate.delivery/a/out.webp", "https://pbxt.replicate.delivery/a.png"):
        assert not refusal(hosts, url)
    for url in (
        "https://notreplicate.delivery/a",
        "http://replicate.delivery/a",
        "https://x.com/a",
    ):
        assert refusal(hosts, url)
    assert set(hosts.keyed) == set(hosts.outputs)


def test_an_official_model_has_its_own_place() -> None:
    hosts = ReplicateHosts()
    assert hosts.official("a/b") == "https://api.replicate.com/v1/models/a/b/predictions"
    assert hosts.prediction("abc") == "https://api.replicate.com/v1/predictions/abc"
    assert hosts.authorization("k") == {"Authorization": "Bearer k"}


def test_a_stand_in_takes_the_place_of_all_and_promises_only_here() -> None:
    here = from_environment({OVERRIDE: "http://127.0.0.1:8080", SETTLING: "3"})
    assert (here.predictions, here.settling) == ("http://127.0.0.1:8080/v1/predictions", 3.0)
    away = from_environment({OVERRIDE: "https://example.com", SETTLING: "3"})
    assert away.settling == math.inf
    with pytest.raises(UsageError):
        from_environment({OVERRIDE: "http://example.com"})
