"""Restaurants take turns at the database, in both directions."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from order_events.protocol.errors import Overloaded, StoreUnavailable
from order_events.storage.fair_queue import FairQueue
from order_events.storage.transaction import Tx

_ROUND = st.tuples(st.text("abc", max_size=12), st.integers(1, 5)).map(lambda r: [*r[0], r[1]])
_STEPS: st.SearchStrategy[list[str | int]] = st.lists(_ROUND, max_size=8).map(
    lambda rounds: [step for steps in rounds for step in steps]
)


@given(_STEPS, st.integers(1, 12), st.integers(1, 6))
@example(["a", "a", "b", "b", 2], 9, 9)
def test_nobody_waits_for_more_than_a_turn_of_each_other(
    steps: list[str | int], size: int, share: int
) -> None:
    """Compared with a list: bounds, the order within a key, and turns between keys."""
    waiting: FairQueue[tuple[str, int]] = FairQueue(size, share)
    model: list[tuple[str, int]] = []
    for number, step in enumerate(steps):
        if isinstance(step, str):
            full = len(model) >= size or sum(key == step for key, _ in model) >= share
            if full:
                with pytest.raises(queue.Full):
                    waiting.put(step, (step, number))
            else:
                waiting.put(step, (step, number))
                model.append((step, number))
            continue
        taken = waiting.take(step, 0)
        assert len(taken) == min(step, len(model))
        keys = {key for key, _ in model}
        for key in keys:
            own = [entry for entry in taken if entry[0] == key]
            assert own == [entry for entry in model if entry[0] == key][: len(own)]
            # Who has something left got no less than anybody else, but for a turn.
            if len(own) < sum(k == key for k, _ in model):
                most = max(sum(k == other for k, _ in taken) for other in keys)
                assert len(own) >= most - 1
        model = [entry for entry in model if entry not in taken]
        assert len(waiting) == len(model)


def test_closing_lets_what_waits_be_taken_and_wakes_who_waits() -> None:
    """Afterwards the queue is empty, and `take` no longer waits."""
    waiting: FairQueue[int] = FairQueue(9, 9)
    waiting.put("a", 1)
    waiting.close()
    assert (waiting.take(5), waiting.take(5), waiting.closed) == ([1], [], True)
    idle: FairQueue[int] = FairQueue(9, 9)
    thread = threading.Thread(target=idle.take, args=(1,))
    thread.start()
    idle.close()
    thread.join(5)
    assert not thread.is_alive()


async def test_a_restaurant_with_many_changes_lets_another_go_between(start: Any) -> None:
    """The other's change is in the next group, however many wait before it."""
    server = await start(store_batch=4)
    made: list[str] = []
    free = threading.Event()

    def change(name: str) -> Any:
        return lambda tx: made.append(name)

    held = asyncio.create_task(server.events.store.write(lambda tx: free.wait(5), "r1"))
    many = [asyncio.create_task(server.events.store.write(change("r1"), "r1")) for _ in range(40)]
    await asyncio.sleep(0)
    other = asyncio.create_task(server.events.store.write(change("r2"), "r2"))
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(held, other, *many)
    assert made.index("r2") < 2 * 4


async def test_a_restaurant_may_fill_only_its_share_of_the_queue(start: Any, draft: Any) -> None:
    """Its further changes are refused; another restaurant's are made."""
    server = await start(store_queue_per_restaurant=3)
    begun, free = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        begun.set()
        free.wait(5)

    held = asyncio.create_task(server.events.store.write(hold, "r1"))
    await asyncio.to_thread(begun.wait, 5)
    own = [
        asyncio.create_task(server.events.create_order("r1", draft, actor="a")) for _ in range(3)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await server.events.create_order("r1", draft, actor="a")
    other = asyncio.create_task(server.events.create_order("r2", draft, actor="a"))
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(held, other, *own)


async def test_reads_take_turns_and_are_bounded(start: Any) -> None:
    """Slow reads of one restaurant do not delay another's; too many are refused."""
    server = await start(store_reads=20)
    free = threading.Event()
    read: list[str] = []

    def question(name: str) -> Any:
        return lambda reader: read.append(name)

    store = server.events.store
    held = [asyncio.create_task(store.read(lambda r: free.wait(5), "r1")) for _ in range(2)]
    await asyncio.sleep(0.05)
    many = [asyncio.create_task(store.read(question("r1"), "r1")) for _ in range(19)]
    await asyncio.sleep(0)
    other = asyncio.create_task(store.read(question("r2"), "r2"))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable, match="waiting"):
        await store.read(question("r3"), "r3")
    free.set()
    await asyncio.gather(*held, other, *many)
    assert read.index("r2") < 4
