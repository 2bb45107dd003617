import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.network.public_address import is_public

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "52.46.128.1",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
]
PUBLIC += ["126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "192.0.1.0", "198.17.255.255"]
PUBLIC += ["198.20.0.0", "223.255.255.255", "2600:1f18::1", "2001:4860:4860::8888", "2a00:1450::1", "3ffe::1"]

NOT_PUBLIC = {
    "loopback": ["127.0.0.1", "127.255.255.255", "::1"],
    "unspecified": ["0.0.0.0", "0.255.255.255", "::"],  # noqa: S104 - nobody binds to it
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fdff::1"],
    "link-local": ["169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1"],
    "metadata": ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200"],
    "carrier-grade-nat": ["100.64.0.0", "100.127.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.0.1", "4000::1", "100::1", "5f00::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1"],
    "nat64": ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"],
    "6to4": ["2002:7f00:1::", "2002:a9fe:a9fe::1", "192.88.99.1"],
    "teredo": ["2001::1", "2001:0:5ef5:79fd:0:0:8000:1"],
    "no-address": ["", "localhost", "127.1", "0x7f000001", "2130706433", "1.2.3.4.5", "1.1.1.1 ", "[::1]"],
}


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [pytest.param(address, id=f"{kind}-{address}") for kind, some in NOT_PUBLIC.items() for address in some],
)
def test_any_other_is_not(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_what_python_takes_for_private_is_never_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_private or address.is_multicast or address.is_reserved:
        assert not is_public(str(address))
