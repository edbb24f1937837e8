"""Which decodes go through the model together, and how long they wait for each other.

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

    While each of the `devices` has a batch to work on, one that is not full may wait for company
    until its most urgent wish is `wait` seconds old. Those that share must have encoder windows of
    one length and prompts of one length, so these are rounded up to multiples of `context_step`
    seconds and `prompt_step` tokens (0: not at all).
    """

    size: int = 1
    wait: float = 0.0
    devices: int = 1
    context_step: float = 0.0
    prompt_step: int = 0

    def patience(self, count: int, in_flight: int) -> float:
        """The age up to which so many wishes wait for more, while so many batches are decoded.

        A device that has nothing to do is not kept waiting. Beside a batch that runs, another one
        would only share the device with it: there is time to let it grow.
        """
        return self.wait if count < self.size and in_flight >= self.devices else 0.0

    def context(self, seconds: float) -> float:
        """How much the encoder sees, if it should see so much at least."""
        if not self.context_step:
            return seconds
        return math.ceil(seconds / self.context_step) * self.context_step

    def prompt(self, tokens: int) -> int:
        """How many tokens of bias the decoder is given, if there are so many."""
        return -(-tokens // self.prompt_step) * self.prompt_step if self.prompt_step else tokens


def together(
    wishes: Sequence[tuple[DecodeNeed, T]], size: int, shape: Callable[[DecodeNeed], Hashable]
) -> list[tuple[DecodeNeed, T]]:
    """The most urgent wish and, up to `size`, the next ones that can share its pass.

    They go by their `turn`. At least one wish must be there.
    """
    first = min(wishes, key=_order)
    if size == 1:
        return [first]
    alike = shape(first[0])
    return heapq.nsmallest(size, (wish for wish in wishes if shape(wish[0]) == alike), key=_order)


def _order(wish: tuple[DecodeNeed, T]) -> tuple[int, float]:
    return wish[0].turn


def grouped(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """The items that have a key in common, groups and items in the order in which they came."""
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())
