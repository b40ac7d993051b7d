from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from relightflow.network.session import PrivateAddress, PublicOnly, session, timeout


class Names(AbstractResolver):
    """A name server that knows one answer."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=a, port=port, family=family, proto=0, flags=0)
            for a in self._addresses
        ]

    async def close(self) -> None:
        pass


async def test_a_public_name_is_handed_on_as_it_was_resolved() -> None:
    found = await PublicOnly(inner=Names("8.8.8.8", "2606:4700::1111")).resolve("a.example", 80)
    assert [r["host"] for r in found] == ["8.8.8.8", "2606:4700::1111"]


@pytest.mark.parametrize("bad", ["127.0.0.1", "fe80::1%lo", "::ffff:10.0.0.1"])
async def test_one_private_address_among_public_ones_refuses_the_name(bad: str) -> None:
    with pytest.raises(PrivateAddress, match=r"a\.example has a private address"):
        await PublicOnly(inner=Names("8.8.8.8", bad)).resolve("a.example")


async def test_only_the_exempt_host_may_be_private() -> None:
    resolver = PublicOnly("mine.example", Names("127.0.0.1"))
    assert await resolver.resolve("mine.example")
    with pytest.raises(PrivateAddress):
        await resolver.resolve("yours.example")


async def test_a_session_keeps_nothing_and_reads_no_environment() -> None:
    async with session() as opened:
        assert not opened.trust_env
        assert not opened.auto_decompress
        opened.cookie_jar.update_cookies({"a": "b"})
        assert len(opened.cookie_jar) == 0
        assert opened.headers["Accept-Encoding"] == "identity"


def test_a_timeout_counts_silence_and_the_whole() -> None:
    assert (timeout(5.0).sock_read, timeout(5.0).total) == (5.0, 10.0)
    assert timeout(5.0, 60.0).total == 60.0
