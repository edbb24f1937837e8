"""What the scanner sees in frames, however the bytes are cut."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise

from hypothesis import given
from hypothesis import strategies as st
from support.raw_socket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame, wire

from order_events.websocket.frame_scanner import (
    COMPRESSED_CONTROL,
    FRAGMENTED,
    INTERLEAVED,
    UNMASKED,
    FrameScanner,
)

sizes = st.integers(0, 125) | st.sampled_from([126, 65_535, 65_536])


controls = st.builds(
    Frame,
    st.sampled_from([PING, PONG]),
    st.binary(max_size=125),
)


@st.composite
def messages(draw: st.DrawFn) -> list[Frame]:
    """A message in up to five frames, with pings and pongs in between."""
    parts = draw(st.lists(sizes, min_size=1, max_size=5))
    frames = []
    for index, size in enumerate(parts):
        frames += draw(st.lists(controls, max_size=2))
        opcode = CONTINUATION if index else draw(st.sampled_from([TEXT, BINARY]))
        rsv = 0 if index else draw(st.sampled_from([0, 4]))
        final = index == len(parts) - 1
        frames.append(Frame(opcode, bytes(size), final=final, rsv=rsv))
    return frames


conversations = st.lists(messages(), max_size=4).map(lambda several: [*chain(*several)])


def fed(data: bytes, cuts: Sequence[int], max_frames: int = 100) -> FrameScanner:
    """Return a scanner that has received the bytes in pieces."""
    scanner = FrameScanner(max_frames)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        scanner.feed(data[start:end])
    return scanner


cuts = st.lists(st.integers(0, 200_000), max_size=20)


@given(conversations, cuts)
def test_what_a_client_may_send_is_no_breach(frames: list[Frame], cuts: list[int]) -> None:
    """However the bytes are cut."""
    assert fed(wire(frames), cuts).breach is None


@given(conversations, st.integers(0, 1_000), cuts, st.data())
def test_a_breach_is_found_wherever_it_stands(
    frames: list[Frame], where: int, cuts: list[int], data: st.DataObject
) -> None:
    """After any frames, cut into any pieces; what follows it changes nothing."""
    at = where % (len(frames) + 1)
    begun = [frame for frame in frames[:at] if frame.opcode < CLOSE]
    while any(frame.final for frame in begun):
        begun.pop(0)
    inside = bool(begun) and not any(frame.payload for frame in begun)
    wrong, breach = data.draw(
        st.sampled_from(
            [
                (Frame(PING, b"x", masked=False), UNMASKED),
                (Frame(PONG, rsv=4), COMPRESSED_CONTROL),
                *([(Frame(TEXT, b"y"), INTERLEAVED)] if inside else []),
            ]
        )
    )
    scanner = fed(wire([*frames[:at], wrong, *frames[at:]]), cuts)
    assert scanner.breach is breach


@given(st.binary(max_size=300), cuts)
def test_garbage_is_judged_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    """It never raises."""
    assert fed(data, cuts).breach is fed(data, []).breach


def test_a_message_may_have_so_many_frames_and_no_more() -> None:
    """Checks the limit from both sides; control frames do not count."""
    start, more = Frame(TEXT, final=False), Frame(CONTINUATION, final=False)
    end = Frame(CONTINUATION)
    allowed = [start, more, Frame(PING), end] * 2
    assert fed(wire(allowed), [], max_frames=3).breach is None
    assert fed(wire([*allowed, start, more, more, end]), [], max_frames=3).breach is FRAGMENTED


def test_nothing_is_looked_at_after_a_close_frame() -> None:
    """What follows is outside the protocol."""
    frames = [Frame(CLOSE, b"\x03\xe8"), Frame(PING, masked=False)]
    assert fed(wire(frames), []).breach is None
