"""Where a model runs and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voice_service.asr.batching import BatchPolicy

Device = Literal["cpu", "cuda"]
DeviceChoice = Literal["cpu", "cuda", "auto"]


class NoSuchDevice(ValueError):
    """The machine lacks the device, or the device the number format; the text says which."""


@dataclass(frozen=True, slots=True)
class Compute:
    """`workers` threads decode at the same time, on all of the `devices` (indices) together.

    `numbers` is the format of the weights, as CTranslate2 names it; `threads` are those of one
    decode on a CPU.
    """

    device: Device
    numbers: str
    workers: int
    batches: BatchPolicy
    threads: int = 1
    devices: tuple[int, ...] = (0,)

    @property
    def workers_per_device(self) -> int:
        """As many as all of them need, shared out evenly."""
        return -(-self.workers // len(self.devices))
