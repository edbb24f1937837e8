"""The device a model runs on, and how its work is divided there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voice_service.asr.batching import BatchPolicy

Device = Literal["cpu", "cuda"]
DeviceChoice = Literal["cpu", "cuda", "auto"]


class NoSuchDevice(ValueError):
    """The machine lacks the device, or the device lacks the number format; the message names it."""


@dataclass(frozen=True, slots=True)
class Compute:
    """How a model is run: `workers` threads decode at once, over all `devices` (indices) together.

    `numbers` is the format of the weights, as CTranslate2 names it. `threads` is the number of
    threads of one decode on a CPU.
    """

    device: Device
    numbers: str
    workers: int
    batches: BatchPolicy
    threads: int = 1
    devices: tuple[int, ...] = (0,)

    @property
    def workers_per_device(self) -> int:
        """Return the workers of each device, rounded up so that all of them have a place."""
        return -(-self.workers // len(self.devices))
