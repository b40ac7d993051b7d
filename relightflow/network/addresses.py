"""Which IP addresses are of the open internet. Pure.

Listed here and not asked of `ipaddress`, whose answers differ between releases of Python: 3.11 calls
fec0::1, ::7f00:1 and 192.0.0.192 global. Source: IANA's registries of special-purpose addresses for
IPv4 and IPv6 (RFC 6890), and what cloud providers publish of their metadata services.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_CLOSED_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; Linux connects 0.0.0.0 to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT; Alibaba's metadata is 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host, as every virtual machine sees it
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata is 192.0.0.192
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4, withdrawn
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_MADE_UP = IPv4Network("198.18.0.0/15")
_OPEN_6 = IPv6Network("2000::/3")
"""All that is given out; everything else is local, multicast, reserved or a translation."""
_CLOSED_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds an IPv4 address, withdrawn
        "3fff::/20",  # documentation
    )
)
_TRANSLATED = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
"""IPv4-mapped, and NAT64 as networks without IPv4 use it: as open as the IPv4 address inside."""
_ISATAP = (0x00005EFE, 0x02005EFE)


def public_address(address: str) -> bool:
    """Whether an IP address is one of the open internet. Raises ValueError for anything else.

    A zone (`fe80::1%eth0`) is looked through.
    """
    ip = ip_address(address.partition("%")[0])
    return _open_4(ip) if isinstance(ip, IPv4Address) else _open_6(ip)


def made_up_address(address: str) -> bool:
    """Whether a name server of a VPN or proxy program may have made it up, so that it can see which
    names are asked for: those take the range of benchmarks, where no server is."""
    ip = ip_address(address.partition("%")[0])
    return isinstance(ip, IPv4Address) and ip in _MADE_UP


def host_matches(host: str, allowed: tuple[str, ...]) -> bool:
    """Whether `allowed` names the host; a leading dot there means every name below."""
    return any(host.endswith(one) if one.startswith(".") else host == one for one in allowed)


def _open_4(ip: IPv4Address) -> bool:
    return not any(ip in network for network in _CLOSED_4)


def _open_6(ip: IPv6Address) -> bool:
    inner = IPv4Address(int(ip) & 0xFFFFFFFF)
    if any(ip in network for network in _TRANSLATED):
        return _open_4(inner)
    if (int(ip) >> 32) & 0xFFFFFFFF in _ISATAP and not _open_4(inner):
        return False
    return ip in _OPEN_6 and not any(ip in network for network in _CLOSED_6)
