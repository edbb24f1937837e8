"""Check that what clients were told agrees with what the hub has in the end. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from kill_run import Reader, Subscription, Written

Json = dict[str, Any]
ORDER_EVENTS = ("order:created", "order:updated")


def check_history(history: Sequence[Json], written: Written) -> Counter[str]:
    """Compare what was acknowledged with what is on disk."""
    found: Counter[str] = Counter()
    told = [(e["data"]["order"]["id"], e["data"]["order"]["version"]) for e in _orders(history)]
    kept = set(told)
    found["acknowledged changes lost"] = sum(
        (order, version) not in kept
        for order, versions in written.versions.items()
        for version in versions
    )
    marks = Counter(e["data"]["order"]["notes"] for e in history if e["type"] == "order:created")
    found["changes made twice or answered wrongly"] = (
        sum(count - 1 for count in marks.values())
        + len(told)
        - len(kept)
        + len(written.contradicted)
    )
    numbers = [event["seq"] for event in history]
    found["gaps in history"] = sum(b != a + 1 for a, b in pairwise([0, *numbers]))
    found["epochs beyond the first"] = len({event["epoch"] for event in history}) - 1
    found["orders the kitchen was not told of last"] = _kitchen_behind(history)
    return found


def check_reader(reader: Reader, history: Sequence[Json]) -> Counter[str]:
    """Compare what one reader received with what it should have received."""
    expected = _expected(reader, history)
    seen = [_place(event) for event in reader.events]
    return Counter(
        {
            "events missed by readers": len(set(expected) - set(seen)),
            "events that readers did not ask for": len(set(seen) - set(expected)),
            "events doubled at readers": len(seen) - len(set(seen)),
            "events out of order at readers": sum(b[1] <= a[1] for a, b in pairwise(seen)),
            "resumptions refused": reader.not_recovered,
        }
    )


def missed_by(reader: Reader, history: Sequence[Json]) -> list[int]:
    """Return the seqs of the events that a reader should have and has not."""
    seen = {_place(event) for event in reader.events}
    return [place[1] for place in _expected(reader, history) if place not in seen]


def check_state(reader: Reader, state: dict[str, tuple[int, str]]) -> Counter[str]:
    """Return the orders that a reader of everything believes to be other than they are."""
    believed: dict[str, tuple[int, str]] = {}
    for event in _orders(reader.events):
        order = event["data"]["order"]
        believed[order["id"]] = (order["version"], order["status"])
    wrong = believed.items() ^ state.items()
    return Counter({"orders wrong at readers in the end": len({order for order, _ in wrong})})


def _expected(reader: Reader, history: Sequence[Json]) -> list[tuple[str, int, str]]:
    orders = [event["data"]["order"] for event in _orders(history)]
    lanes = {order["id"]: order["source"]["lane"] for order in orders}
    return [_place(event) for event in history if _matches(event, reader.subscription, lanes)]


def _orders(events: Iterable[Json]) -> list[Json]:
    return [event for event in events if event["type"] in ORDER_EVENTS]


def _place(event: Json) -> tuple[str, int, str]:
    return event["epoch"], event["seq"], event["event_id"]


def _kitchen_behind(history: Sequence[Json]) -> int:
    last: dict[str, int] = {}
    told: dict[str, int] = {}
    for event in history:
        if event["type"] in ORDER_EVENTS:
            last[event["data"]["order"]["id"]] = event["data"]["order"]["version"]
        elif event["type"] == "kds:update":
            told |= {ticket["id"]: ticket["version"] for ticket in event["data"]["orders"]}
    return len({order for order, _ in last.items() ^ told.items()})


def _matches(event: Json, subscription: Subscription, lanes: dict[str, str]) -> bool:
    named = any(
        event["type"] == name or (name.endswith("*") and event["type"].startswith(name[:-1]))
        for name in subscription.events
    )
    orders = _about(event)
    tags = {"lane": {lanes[id_] for id_, _ in orders}, "status": {status for _, status in orders}}
    return named and all(tags[name] & set(values) for name, values in subscription.filters.items())


def _about(event: Json) -> list[tuple[str, str]]:
    """Return the ids and statuses of the orders that an event is about, from its data alone."""
    data = event["data"]
    if event["type"] == "order:status":
        return [(data["order_id"], data["status"])]
    orders = data["orders"] if event["type"] == "kds:update" else [data["order"]]
    return [(order["id"], order["status"]) for order in orders]
