"""How busy the GPUs are while something is measured, where there are any.

Needs nvidia-ml-py: `pip install --group benchmarks`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

_INTERVAL_S: Final = 0.1


@dataclass
class Watch:
    """Samples of all GPUs: % of the last interval in which a kernel ran, and bytes in use."""

    busy: list[list[int]] = field(default_factory=list)
    memory: list[list[int]] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.busy:
            return "no GPU"
        busy, memory = np.mean(self.busy, axis=0), np.max(self.memory, axis=0)
        return ", ".join(
            f"GPU {index} {share:.0f} % busy, {most / 1e9:.1f} GB"
            for index, (share, most) in enumerate(zip(busy, memory, strict=True))
        )


@contextlib.contextmanager
def watched() -> Iterator[Watch]:
    """Yield what is sampled until the block ends."""
    watch, over = Watch(), threading.Event()
    with _handles() as (nvml, handles):
        sampler = threading.Thread(target=_sample, args=(watch, nvml, handles, over))
        sampler.start()
        try:
            yield watch
        finally:
            over.set()
            sampler.join()


def _sample(watch: Watch, nvml: Any, handles: list[Any], over: threading.Event) -> None:
    while handles and not over.wait(_INTERVAL_S):
        watch.busy.append([nvml.nvmlDeviceGetUtilizationRates(one).gpu for one in handles])
        watch.memory.append([nvml.nvmlDeviceGetMemoryInfo(one).used for one in handles])


@contextlib.contextmanager
def _handles() -> Iterator[tuple[Any, list[Any]]]:
    try:
        import pynvml  # noqa: PLC0415  an optional group
    except ImportError:
        yield None, []
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield pynvml, []
        return
    try:
        count = pynvml.nvmlDeviceGetCount()
        yield pynvml, [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
    finally:
        pynvml.nvmlShutdown()
