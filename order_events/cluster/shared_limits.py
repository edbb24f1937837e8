"""Limits per user and restaurant that hold across nodes: each tells the others what is used there.

What one node has seen the others know a second or two later; until then they may let more through.
While the bus is away, each node counts for itself. Pure: times are in seconds, monotonic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from order_events.bus.messages import Usage

KEPT_S = 30.0
"""A node that has told nothing of a restaurant for this long has no connections of it."""
REPEAT_S = 10.0
"""Seconds after which a node tells what has not changed."""
WINDOW_S = 60.0
"""Requests at other nodes count for this long if nobody has asked here."""
_MOST_USERS = 50_000
"""Users whose requests at other nodes are kept."""

User = tuple[str, str]
"""A restaurant and one of its users."""


@dataclass(slots=True)
class _Requests:
    count: int
    at: float


class SharedLimits:
    """What is used at the other nodes, and what they have not been told yet of this one."""

    def __init__(self) -> None:
        self._elsewhere: dict[str, dict[str, tuple[float, Counter[str]]]] = {}
        self._requests: dict[User, _Requests] = {}
        self._own: dict[str, Counter[str]] = {}
        self._told: dict[str, tuple[float, dict[str, int]]] = {}

    def take(self, usage: Usage, node: str, now: float) -> None:
        """Note what another node has told."""
        nodes = self._elsewhere.setdefault(usage.restaurant_id, {})
        nodes[node] = (now, Counter(usage.connections))
        for user, count in usage.requests.items():
            key = (usage.restaurant_id, user)
            earlier = self._requests.pop(key, None)
            self._requests[key] = _Requests(count + (earlier.count if earlier else 0), now)
        while len(self._requests) > _MOST_USERS:
            del self._requests[next(iter(self._requests))]

    def connections(self, restaurant_id: str) -> int:
        """Return how many connections of a restaurant the other nodes have."""
        nodes = self._elsewhere.get(restaurant_id, {})
        return sum(counts.total() for _, counts in nodes.values())

    def connections_of(self, restaurant_id: str, user_id: str) -> int:
        """Return how many connections of a user the other nodes have."""
        nodes = self._elsewhere.get(restaurant_id, {})
        return sum(counts[user_id] for _, counts in nodes.values())

    def requested(self, user: User) -> None:
        """Note a request at this node."""
        restaurant_id, user_id = user
        self._own.setdefault(restaurant_id, Counter())[user_id] += 1

    def requests_elsewhere(self, user: User, now: float) -> int:
        """Return how many requests the user has made at other nodes since this was last asked."""
        requests = self._requests.pop(user, None)
        return requests.count if requests is not None and now - requests.at <= WINDOW_S else 0

    def news(
        self, epoch: str, connected: Mapping[User, int], restaurants: Iterable[str], now: float
    ) -> list[Usage]:
        """Return what the other nodes should know; `connected` are the connections here.

        Forgets nodes that have been silent, and restaurants that are not among these.
        """
        followed = set(restaurants)
        self._forget(followed, now)
        by_restaurant: dict[str, dict[str, int]] = {}
        for (restaurant_id, user_id), count in connected.items():
            by_restaurant.setdefault(restaurant_id, {})[user_id] = count
        own, self._own = self._own, {}
        news = []
        for restaurant_id in followed:
            connections = by_restaurant.get(restaurant_id, {})
            at, told = self._told.get(restaurant_id, (-REPEAT_S, {}))
            requests = own.get(restaurant_id, Counter())
            repeat = now - at >= REPEAT_S and (connections or told)
            if connections != told or requests or repeat:
                self._told[restaurant_id] = (now, connections)
                news.append(Usage(restaurant_id, epoch, connections, requests))
        return news

    def _forget(self, followed: set[str], now: float) -> None:
        for restaurant_id in self._told.keys() - followed:
            del self._told[restaurant_id]
        for restaurant_id, nodes in list(self._elsewhere.items()):
            for node in [n for n, (at, _) in nodes.items() if now - at > KEPT_S]:
                del nodes[node]
            if not nodes or restaurant_id not in followed:
                del self._elsewhere[restaurant_id]
