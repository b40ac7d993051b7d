from __future__ import annotations

import pytest

from relightflow.backends.segmind.hosts import (
    OVERRIDE,
    Hosts,
    from_environment,
    refusal,
)
from relightflow.errors import UsageError

REHEARSAL = from_environment({OVERRIDE: "http://127.0.0.1:8080/"})


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
    assert refusal(Hosts(), url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://images.segmind.com/a.png",
        "https://images.segmind.com:8443/a.png",
        "https://segmind.com.evil.example/a.png",
        "https://evilsegmind.com/a.png",
        "https://segmind-anything.s3.amazonaws.com/a.png",
        "https://user@images.segmind.com/a.png",
        "https://example.com/#@images.segmind.com/",
        "https://example.com\\@images.segmind.com/",
        "https://images.segmind.com/a b",
        "https://images.segmind.com/\n",
        "ftp://images.segmind.com/a",
        "file:///etc/passwd",
        "//images.segmind.com/a",
        "https://",
        "https://images.segmind.com:99999/",
        "https://[::1",
        "https://１２７.0.0.1/",
        "https://" + "a" * 9000,
        "",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    assert refusal(Hosts(), url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "a.localhost",
        "10.1.2.3",
        "169.254.169.254",
        "[::1]",
        "[fd00::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "100.64.0.1",
        "0.0.0.0",
    ],
)
def test_private_addresses_are_refused_in_any_spelling(host: str) -> None:
    bare = host.strip("[]")
    assert refusal(Hosts(outputs=(bare,)), f"https://{host}/a.png")
    assert refusal(Hosts(), f"https://{host}/a.png", listed=False)


def test_the_operator_may_allow_a_host() -> None:
    hosts = from_environment({}, ("cdn.example.com",))
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


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:80", "http://example.com", "http://u:p@127.0.0.1", "http://127.0.0.1/x", "ftp://a"],
)
def test_an_override_that_is_no_server_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=OVERRIDE):
        from_environment({OVERRIDE: url})
