"""Tells addresses of the public internet from those that must not be reached when a client names a host.

The networks are listed here because the answers of `ipaddress` differ between Python's patch releases (CVE-2024-4032).
Source: the IANA registries of special-purpose addresses for IPv4 and IPv6, RFC 6890.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_NOT_PUBLIC_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network; on Linux, this host
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",  # loopback; Lambda's runtime API is there
            "169.254.0.0/16",  # link-local; the credentials of instances and containers are there
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays, deprecated
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
# Global unicast addresses. Loopback, link-local, unique local and multicast addresses lie outside, and so do addresses
# that represent IPv4 ones: mapped (::ffff:0:0/96) and NAT64 (64:ff9b::/96, 64:ff9b:1::/48).
_PUBLIC_V6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_V6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, Teredo with an IPv4 address in it among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, with an IPv4 address in it
            "3fff::/20",  # documentation
        ),
    )
)


def is_public(address: str) -> bool:
    """Tell whether `address` is a public IPv4 or IPv6 address; False for any other text."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    match parsed:
        case IPv4Address():
            return not any(parsed in network for network in _NOT_PUBLIC_V4)
        case IPv6Address():
            return parsed in _PUBLIC_V6 and not any(parsed in network for network in _NOT_PUBLIC_V6)
