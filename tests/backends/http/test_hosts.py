from __future__ import annotations

import math

import pytest

from relightflow.backends.comfy.hosts import ComfyHosts
from relightflow.backends.fal.hosts import FalHosts
from relightflow.backends.http.hosts import ProviderHosts, in_force, refusal
from relightflow.backends.replicate.hosts import ReplicateHosts
from relightflow.backends.runware.hosts import RunwareHosts
from relightflow.backends.segmind.hosts import SegmindHosts
from relightflow.errors import UsageError

EVERY = (SegmindHosts(), FalHosts(), ReplicateHosts(), ComfyHosts(), RunwareHosts())


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
    assert refusal(SegmindHosts(), url)


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
    assert refusal(SegmindHosts(outputs=(bare,)), f"https://{host}/a.png")
    assert refusal(SegmindHosts(), f"https://{host}/a.png", listed=False)


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:80", "http://example.com", "http://u:p@127.0.0.1", "http://127.0.0.1/x", "ftp://a"],
)
def test_an_override_that_is_no_server_is_refused(url: str) -> None:
    usual = SegmindHosts()
    with pytest.raises(UsageError, match=usual.variable):
        in_force(usual, {usual.variable: url})


@pytest.mark.parametrize("usual", EVERY, ids=lambda usual: usual.provider)
def test_one_server_stands_for_all_hosts_and_only_here_is_its_history_believed(
    usual: ProviderHosts,
) -> None:
    variables = {usual.variable: "http://127.0.0.1:80/", usual.settled: "3"}
    moved = in_force(usual, variables, ("CDN.example.com",))
    assert {getattr(moved, base) for base in ("api", "override", *usual.bases)} == {
        "http://127.0.0.1"
    }
    assert moved.outputs == (*usual.outputs, "cdn.example.com")
    assert moved.settling == (3.0 if usual.settled else math.inf)
    away = in_force(usual, variables | {usual.variable: "https://stand-in.example.com"})
    assert away.settling == math.inf
    assert in_force(usual, {}) == usual


def test_a_time_to_settle_that_is_none_is_refused() -> None:
    usual = SegmindHosts()
    with pytest.raises(UsageError, match=usual.settled):
        in_force(usual, {usual.variable: "http://127.0.0.1:80", usual.settled: "soon"})


def test_the_key_goes_into_the_header_that_the_provider_reads() -> None:
    found = {hosts.provider: hosts.authorization("k") for hosts in EVERY}
    assert found == {
        "Segmind": {"x-api-key": "k"},
        "fal": {"Authorization": "Key k"},
        "Replicate": {"Authorization": "Bearer k"},
        "Comfy Router": {"X-API-Key": "k"},
        "Runware": {"Authorization": "Bearer k"},
    }
