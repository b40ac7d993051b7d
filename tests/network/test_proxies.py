from __future__ import annotations

import pytest

from relightflow.core.redact import known
from relightflow.errors import UsageError
from relightflow.network.proxies import internal_name, proxies

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("environ", "http", "https"),
    [
        ({}, "", ""),
        ({"HTTPS_PROXY": PROXY}, "", PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, "", PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, "", ""),
        ({"HTTP_PROXY": PROXY}, PROXY, ""),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "", ""),
        ({"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, PROXY, ""),
        ({"ALL_PROXY": PROXY}, PROXY, PROXY),
        ({"ALL_PROXY": "socks5://a:1", "HTTPS_PROXY": PROXY, "http_proxy": PROXY}, PROXY, PROXY),
        ({"HTTPS_PROXY": "proxy.example:3128"}, "", PROXY),
        ({"HTTPS_PROXY": "proxy.example"}, "", "http://proxy.example:80"),
        ({"HTTPS_PROXY": "https://proxy.example/"}, "", "https://proxy.example:443"),
        ({"HTTPS_PROXY": "http://[fd00::1]:3128"}, "", "http://[fd00::1]:3128"),
    ],
)
def test_the_environment_is_read_as_other_programs_read_it(
    environ: dict[str, str], http: str, https: str
) -> None:
    found = proxies(environ)
    assert (found.http.url if found.http else "", found.https.url if found.https else "") == (
        http,
        https,
    )


@pytest.mark.parametrize(
    "text",
    ["socks5://proxy:1080", "http:///x", "http://proxy:0x1", "http://proxy:70000", "http://a\nb"],
)
def test_what_cannot_be_used_is_an_error_that_names_the_variable_and_not_the_value(
    text: str,
) -> None:
    with pytest.raises(UsageError, match="HTTPS_PROXY") as caught:
        proxies({"HTTPS_PROXY": text})
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("excluded", "host", "straight"),
    [
        ("", "images.example.com", False),
        ("*", "images.example.com", True),
        ("example.com", "images.example.com", True),
        (".example.com", "images.example.com", True),
        ("*.example.com", "images.example.com", True),
        ("example.com", "badexample.com", False),
        ("a.test, EXAMPLE.com b.test", "example.com", True),
        ("example.com:443", "example.com", True),
        ("example.com:8443", "example.com", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("fd00::/8", "fd00::1", True),
        ("[fd00::1]:443", "fd00::1", True),
        ("not/a/network", "10.1.2.3", False),
        ("", "localhost", True),
        ("", "127.0.0.9", True),
        ("", "::1", True),
    ],
)
def test_what_goes_straight(excluded: str, host: str, straight: bool) -> None:
    found = proxies({"HTTPS_PROXY": PROXY, "NO_PROXY": excluded})
    assert (found.find("https", host) is None) is straight


def test_a_password_is_a_header_and_a_secret() -> None:
    proxy = proxies({"HTTPS_PROXY": "http://me:p%40ssw0rd-1@proxy.example:3128"}).https
    assert proxy is not None
    assert proxy.url == PROXY
    assert proxy.headers == {"Proxy-Authorization": "Basic bWU6cEBzc3cwcmQtMQ=="}
    assert proxy.full == "http://me:p%40ssw0rd-1@proxy.example:3128"
    assert "p@ssw0rd-1" not in known(f"{proxy} {proxy.shown} p@ssw0rd-1")


@pytest.mark.parametrize(
    ("name", "internal"),
    [
        ("intranet", True),
        ("wiki.corp", True),
        ("printer.local.", True),
        ("metadata.google.internal", True),
        ("router.home.arpa", True),
        ("images.example.com", False),
        ("local.example.com", False),
    ],
)
def test_names_that_no_public_server_has(name: str, internal: bool) -> None:
    assert internal_name(name) is internal
