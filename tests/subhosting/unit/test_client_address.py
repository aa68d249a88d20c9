"""Whom a visitor is believed to be."""

import pytest

from bot.subhosting.host.client_address import TrustedProxies, with_port

PROXIES = TrustedProxies(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("127.0.0.1", True),
        ("::ffff:127.0.0.1", True),
        ("10.1.2.3", True),
        ("fd00::1", True),
        ("127.0.0.2", False),
        ("203.0.113.9", False),
        ("", False),
    ],
)
def test_only_named_proxies_are_trusted(address: str, trusted: bool) -> None:  # noqa: FBT001
    assert PROXIES.trusts(address) is trusted


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([b"203.0.113.9"], b"203.0.113.9:0"),
        ([b"6.6.6.6, 203.0.113.9"], b"203.0.113.9:0"),
        ([b"6.6.6.6", b"203.0.113.9, 10.0.0.1"], b"203.0.113.9:0"),
        ([b"2001:db8::1"], b"[2001:db8::1]:0"),
        ([b"203.0.113.9, nonsense"], None),
        ([b"10.0.0.1"], None),
        ([b""], None),
    ],
)
def test_the_last_address_that_is_no_proxy_is_the_visitor(
    forwarded: list[bytes], client: bytes | None
) -> None:
    assert PROXIES.client(forwarded) == client


def test_nobody_is_trusted_unless_named() -> None:
    assert not TrustedProxies([]).trusts("127.0.0.1")


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        TrustedProxies(["nowhere"])


def test_an_address_of_ipv6_is_bracketed() -> None:
    assert (with_port("::1", 80), with_port("127.0.0.1", 80)) == (b"[::1]:80", b"127.0.0.1:80")
