"""The address that a connection or request counts towards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_events.settings import HubSettings
from order_events.websocket.client_address import origin_of

PROXY = HubSettings(trusted_proxies="10.0.0.0/8, 2001:db8::/32").trusted_proxies


@pytest.mark.parametrize(
    ("peer", "header", "counted"),
    [
        ("192.0.2.7", (), "192.0.2.7"),
        ("192.0.2.7", ("198.51.100.1",), "192.0.2.7"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.1, 198.51.100.1, 10.0.0.2",), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.1", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.1", ("198.51.100.1, nonsense",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1:4711, 10.0.0.2:80",), "198.51.100.1"),
        ("10.0.0.1", ("[2001:470:1:2:3:4:5:6]:4711",), "2001:470:1:2::/64"),
        ("10.0.0.1", ("[2001:470:1:2:3:4:5:6]",), "2001:470:1:2::/64"),
        ("10.0.0.1", ("198.51.100.1:http",), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("2001:db8::1", ("2001:470:1:2:3:4:5:6",), "2001:470:1:2::/64"),
        ("::ffff:192.0.2.7", (), "192.0.2.7"),
        ("", ("198.51.100.1",), ""),
    ],
)
def test_whose_address_counts(peer: str, header: tuple[str, ...], counted: str) -> None:
    """Read from the right, up to the first untrusted address; an IPv6 /64 counts as one."""
    assert origin_of(peer, header, PROXY) == counted


@given(st.text(max_size=40), st.lists(st.text(max_size=60), max_size=3))
def test_no_header_can_make_an_untrusted_peer_somebody_else(peer: str, header: list[str]) -> None:
    """No header makes it raise either."""
    assert origin_of("192.0.2.7", header, PROXY) == "192.0.2.7"
    origin_of(peer, header, PROXY)
