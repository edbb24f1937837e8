"""Which decodes share a pass through the model, and how long they wait for each other.

Pure: knows no clock, no threads and no model.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from voice_service.asr.needs import DecodeNeed

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """At most `size` decodes share a pass through the model.

    While each of the `devices` has a batch to work on, a batch that is not full may wait for more
    until its most urgent need is `wait` seconds old. Decodes that share a pass must have encoder
    windows of one length and prompts of one length, so these are rounded up to multiples of
    `context_step` seconds and `prompt_step` tokens (0: not rounded).
    """

    size: int = 1
    wait: float = 0.0
    devices: int = 1
    context_step: float = 0.0
    prompt_step: int = 0

    def longest_wait(self, count: int, in_flight: int) -> float:
        """Return how old `count` needs may grow while they wait for more, in seconds.

        `in_flight` batches are being decoded. An idle device is never kept waiting. Beside a
        running batch, a second one would only share its device, so it has time to grow.
        """
        return self.wait if count < self.size and in_flight >= self.devices else 0.0

    def context(self, seconds: float) -> float:
        """Return the length of an encoder window that covers at least `seconds`."""
        if not self.context_step:
            return seconds
        return math.ceil(seconds / self.context_step) * self.context_step

    def prompt(self, tokens: int) -> int:
        """Return the length of the bias, in tokens, for a bias of at least `tokens`."""
        return -(-tokens // self.prompt_step) * self.prompt_step if self.prompt_step else tokens


def next_batch(
    needs: Sequence[tuple[DecodeNeed, T]], size: int, shape: Callable[[DecodeNeed], Hashable]
) -> list[tuple[DecodeNeed, T]]:
    """Return the most urgent need and the next ones that can share its pass, at most `size`.

    They are ordered by their `turn`. `needs` must not be empty.
    """
    first = min(needs, key=_turn)
    if size == 1:
        return [first]
    first_shape = shape(first[0])
    return heapq.nsmallest(
        size, (need for need in needs if shape(need[0]) == first_shape), key=_turn
    )


def _turn(need: tuple[DecodeNeed, T]) -> tuple[int, float]:
    return need[0].turn


def group_by(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Group the items that have a key in common; groups and items keep the order of `items`."""
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())
