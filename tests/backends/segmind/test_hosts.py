from __future__ import annotations

import pytest

from relightflow.backends.http.hosts import in_force, refusal
from relightflow.backends.segmind.hosts import SegmindHosts

REHEARSAL = in_force(SegmindHosts(), {SegmindHosts().variable: "http://127.0.0.1:8080/"})


@pytest.mark.parametrize(
    "url",
    [
        "https://images.segmind.com/generations/a.png",
        "https://images.segmind.com:443/a.png",
        "https://segmind-inference-io.s3.amazonaws.com/a.webp?X-Amz-Signature=1",
        "https://IMAGES.Segmind.com./a",
    ],
)
def test_the_providers_own_hosts_are_allowed(url: str) -> None:
    assert refusal(SegmindHosts(), url) == ""


def test_the_operator_may_allow_a_host() -> None:
    hosts = in_force(SegmindHosts(), {}, ("cdn.example.com",))
    assert refusal(hosts, "https://cdn.example.com/a.png") == ""
    assert refusal(hosts, "http://cdn.example.com/a.png")


def test_the_override_moves_all_three_hosts() -> None:
    base = "http://127.0.0.1:8080"
    assert REHEARSAL.submit("v2", "m") == f"{base}/v2/m"
    assert REHEARSAL.upload == f"{base}/upload-asset"
    assert REHEARSAL.request_history == f"{base}/inference-request/request-history"


def test_the_override_is_a_result_host_at_its_own_port_only() -> None:
    assert refusal(REHEARSAL, "http://127.0.0.1:8080/outputs/a") == ""
    assert refusal(REHEARSAL, "http://127.0.0.1:8081/outputs/a")
    assert refusal(REHEARSAL, "http://127.0.0.2:8080/outputs/a")
