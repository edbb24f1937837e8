"""The outbox of a connection: bounded, ordered, and merging only keyed frames."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from order_events.websocket.outbox import Outbox


@given(st.lists(st.tuples(st.sampled_from([None, "a", "b", "pop"]), st.integers(1, 60))))
def test_an_outbox_is_bounded_ordered_and_merges_only_keys(
    actions: list[tuple[str | None, int]],
) -> None:
    """Compared with a plain list."""
    outbox, model = Outbox(10, 200), []
    for number, (key, size) in enumerate(actions):
        if key == "pop":
            taken = outbox.take(size)
            assert taken == [model.pop(0)[0] for _ in taken]
            assert sum(map(len, taken)) >= size or not model
            assert sum(map(len, taken[:-1])) < size
        else:
            payload = str(number).encode().ljust(size, b".")
            if key is not None:
                model = [entry for entry in model if entry[1] != key]
            total = sum(len(p) for p, _ in model)
            fits = len(model) < 10 and (not model or total + len(payload) <= 200)
            assert outbox.put(payload, key) is fits
            if fits:
                model.append((payload, key))
        assert len(outbox) == len(model)
    assert outbox.take(10_000) == [p for p, _ in model]
    assert outbox.take(10_000) == []
    assert outbox.half_empty


def test_replaced_messages_do_not_pile_up() -> None:
    """After a thousand partials, a stalled reader's outbox holds one."""
    outbox = Outbox(10, 1000)
    for number in range(1000):
        assert outbox.put(str(number).encode(), "k")
    assert len(outbox) == 1
    assert len(outbox._entries) < 30
    assert outbox.take(1000) == [b"999"]
