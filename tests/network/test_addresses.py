from __future__ import annotations

import pytest

from relightflow.network.addresses import public_address


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.216.34",
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "198.17.255.255",
        "223.255.255.255",
        "168.63.129.17",
        "2606:2800:220:1::1",
        "2a00:1450:4001:81c::200e",
        "64:ff9b::808:808",
        "::ffff:8.8.8.8",
        "2001:470::5efe:808:808",
    ],
)
def test_an_address_of_the_open_internet_is_public(address: str) -> None:
    assert public_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "100::1",
        "2001::1",
        "2001:0:7f00:1::",
        "2001:2::1",
        "2001:10::1",
        "2001:db8::1",
        "2001:470::5efe:7f00:1",
        "2001:470::200:5efe:7f00:1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_any_other_address_is_not(address: str) -> None:
    assert not public_address(address)


@pytest.mark.parametrize(
    "text", ["", "example.com", "127.1", "0177.0.0.1", "2130706433", "1.2.3.4\n"]
)
def test_what_is_no_plain_address_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        public_address(text)
