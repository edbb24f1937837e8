"""Messages between nodes survive the way there; anything else is refused."""

from __future__ import annotations

import pytest

from order_events.bus.mailbox import MOST_LIVE, Mailbox
from order_events.bus.messages import (
    BusMessage,
    Live,
    NotABusMessage,
    Usage,
    Wakeup,
    decode,
    encode,
    subject_of,
)
from order_events.domain.models import LiveEvent


def live(key: str, body: bytes = b'{"n": 1}') -> Live:
    return Live("e", LiveEvent("r 1.*", "voice:transcript", key, {"lane": ("1", "2")}, body))


@pytest.mark.parametrize(
    "message",
    [
        Wakeup("r 1.*>", "e", 7, revoked=True),
        live("s", b'{"text": "line\\nbreak \xc3\xa9"}'),
        Usage("r\n1", "e", {"u": 2}, {"é": 3}),
    ],
)
def test_a_message_arrives_as_it_was_sent(message: BusMessage) -> None:
    assert decode(encode("node", message)) == ("node", message)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"node":"n","restaurant_id":"r","epoch":"e","kind":"other"}',
        b'{"node":"n","restaurant_id":"r","epoch":"e","kind":"wakeup","head":"x","revoked":0}',
        b'{"node":"n","restaurant_id":"r","epoch":"e","kind":"usage","connections":[1]}',
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(NotABusMessage):
        decode(data)


def test_a_subject_has_no_character_that_a_bus_gives_a_meaning() -> None:
    subjects = {subject_of(id_) for id_ in ("r1", "r.1", "*", ">", "", "é " * 200)}
    assert len(subjects) == 6
    assert all(subject.isalnum() and len(subject) == 32 for subject in subjects)


async def test_what_waits_is_merged() -> None:
    """Wake-ups by restaurant, with the highest head; live events by key, the latest."""
    mailbox = Mailbox()
    mailbox.put(Wakeup("r1", "e", 9, revoked=True))
    mailbox.put(Wakeup("r1", "e", 8))
    mailbox.put(Wakeup("r2", "e", 9))
    mailbox.put(Wakeup("r2", "f", 1))
    mailbox.put(live("s", b"1"))
    mailbox.put(live("s", b"2"))
    mailbox.put(Usage("r1", "e", {"u": 1}))
    mailbox.put(Usage("r1", "e", {}))
    await mailbox.filled()
    assert mailbox.take() == [
        Wakeup("r1", "e", 9, revoked=True),
        Wakeup("r2", "f", 1),
        live("s", b"2"),
        Usage("r1", "e", {}),
    ]
    assert len(mailbox) == 0


def test_what_waits_is_bounded() -> None:
    mailbox = Mailbox()
    for number in range(MOST_LIVE + 10):
        mailbox.put(live(str(number)))
    assert len(mailbox) == MOST_LIVE
    mailbox.drop_live()
    assert len(mailbox) == 0
