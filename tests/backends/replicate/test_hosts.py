from __future__ import annotations

from relightflow.backends.http.hosts import refusal
from relightflow.backends.replicate.hosts import ReplicateHosts


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
