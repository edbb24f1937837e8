"""What can be told about a message before it is known to be valid."""

from __future__ import annotations

import pytest

from order_events.protocol.inbound import size_of


@pytest.mark.parametrize(
    ("text", "size"), [("", 0), ("ab", 2), ("é", 2), ("日本", 6), ("🍔", 4), ("a" * 70_000, 70_000)]
)
def test_the_size_of_a_message_is_counted_in_bytes(text: str, size: int) -> None:
    """Short messages too: limits per minute add them up."""
    assert size_of(text) == size
