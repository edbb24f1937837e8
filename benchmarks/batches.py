"""What batches gain: decodes per second, latency and where the time goes, by batch size.

    python benchmarks/batches.py [--model tiny.en base] [--sizes 1 2 4 8] [--manifest FILE]
    python benchmarks/batches.py --device cuda --compute-type float16 --sizes 1 2 4 8 16 32

Every worker of the service decodes one batch after the other, of recordings in turn, with the demo
menu as the bias; each size has a recogniser of its own, as the settings make it. Quick decodes are
those of partials, thorough ones those of finals.

Columns: decodes per second of all workers together; seconds from handing a batch to a worker to its
answers, median and 95th percentile; shares of the workers' time in the spectrogram, the encoder,
the decoder's generation and the alignment of words, and in the rest; processor seconds per decode;
how busy the GPUs were. A GPU works on after a call has returned: a step may be charged with what
the one before has begun.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from gpus import watched
from harness import read_recordings
from numpy.typing import NDArray

from voice_service.asr.alignment import Aligned
from voice_service.asr.compute import Compute
from voice_service.asr.hypothesis import DecodeRequest
from voice_service.asr.recognizer import Recognizer
from voice_service.asr.whisper import Encoded, Generated, Whisper, resolve_device
from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.models.registry import default_models_dir, resolve
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.server import demo_menu
from voice_service.settings import VoiceSettings

_STEPS: Final = ("spectrogram", "encode", "generate", "align")


class Clocked(Whisper):
    """A model that records how long each step takes."""

    def __init__(self, model: str, compute: Compute) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        super().__init__(model, compute)

    @contextlib.contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        with self._lock:
            self.spent[step] += time.perf_counter() - started

    def spectrogram(self, audio: Samples) -> NDArray[np.float32]:
        with self._timed("spectrogram"):
            return super().spectrogram(audio)

    def encode(self, *arguments: Any, **options: Any) -> Encoded:
        with self._timed("encode"):
            return super().encode(*arguments, **options)

    def generate(self, *arguments: Any, **options: Any) -> list[Generated]:
        with self._timed("generate"):
            return super().generate(*arguments, **options)

    def align(self, *arguments: Any, **options: Any) -> list[Aligned]:
        with self._timed("align"):
            return super().align(*arguments, **options)


@dataclass
class Figures:
    """The figures of one kind of decode with one batch size, in seconds."""

    decodes: int
    wall: float
    processor: float
    latency: list[float]
    spent: dict[str, float]
    gpus: str


def measure(
    recognizer: Recognizer, whisper: Clocked, batches: Iterator[list[DecodeRequest]], seconds: float
) -> Figures:
    """Let all workers decode until the time is up."""
    latency: list[float] = []
    decodes = 0
    lock = threading.Lock()
    whisper.spent.clear()

    def work() -> None:
        nonlocal decodes
        while time.perf_counter() < end:
            with lock:
                batch = next(batches)
            begun = time.perf_counter()
            recognizer.decode(batch)
            with lock:
                latency.append(time.perf_counter() - begun)
                decodes += len(batch)

    workers = whisper.compute.workers
    with watched() as gpus, ThreadPoolExecutor(workers) as pool:
        started, processor = time.perf_counter(), time.process_time()
        end = started + seconds
        for task in [pool.submit(work) for _ in range(workers)]:
            task.result()
        wall, processor = time.perf_counter() - started, time.process_time() - processor
    return Figures(decodes, wall, processor, latency, dict(whisper.spent), str(gpus))


def line(model: str, kind: str, size: int, found: Figures) -> str:
    """Return the figures as a line under `HEADER`."""
    total = sum(found.latency)
    shares = [100 * found.spent.get(step, 0.0) / total for step in _STEPS]
    columns = "  ".join(f"{share:4.0f}" for share in (*shares, 100 - sum(shares)))
    p50, p95 = np.percentile(found.latency, (50, 95))
    return (
        f"{model:14} {kind:8} {size:5}  {found.decodes / found.wall:9.1f}  {p50:6.3f} {p95:6.3f}  "
        f"{columns}  {found.processor / found.decodes:8.3f}  {found.gpus}"
    )


HEADER: Final = (
    "model          kind     batch  decodes/s     p50    p95   mel  enc.  gen.  align rest  "
    "CPU s/dec.  GPU"
)


def requests(
    recordings: Sequence[Samples], size: int, *, thorough: bool
) -> Iterator[list[DecodeRequest]]:
    """Yield batches without end."""
    bias = CompiledMenu(demo_menu()).bias
    turn = itertools.cycle(recordings)
    while True:
        yield [DecodeRequest(next(turn), "en", thorough, bias) for _ in range(size)]


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--model", nargs="+", default=["tiny.en"])
    made.add_argument("--device", default="cpu", choices=["cpu", "cuda", "auto"])
    made.add_argument("--device-index", default="0", help="which GPUs, separated by commas")
    made.add_argument("--compute-type", default="default")
    made.add_argument("--sizes", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    made.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    made.add_argument("--manifest", type=Path, help="real recordings instead of the fixtures")
    made.add_argument("--shortest", type=float, default=2.0, help="seconds")
    made.add_argument("--longest", type=float, default=6.0, help="seconds")
    return made


def main() -> None:
    arguments = parser().parse_args()
    found = read_recordings(arguments.manifest)
    limits = (arguments.shortest * SAMPLE_RATE, arguments.longest * SAMPLE_RATE)
    recordings = [r.samples for r in found if limits[0] <= len(r.samples) <= limits[1]]
    if not recordings:
        raise SystemExit("no recording is as long as --shortest and --longest want")
    print(HEADER)
    for model, size in itertools.product(arguments.model, arguments.sizes):
        settings = VoiceSettings(
            device=arguments.device,
            device_index=arguments.device_index,
            compute_type=arguments.compute_type,
            batch_size=size,
        )
        location = resolve(model, default_models_dir()).location
        whisper = Clocked(location, settings.compute(resolve_device(settings.device)))
        recognizer = Recognizer(whisper)
        for kind in ("quick", "thorough"):
            batches = requests(recordings, size, thorough=kind == "thorough")
            recognizer.decode(next(batches))
            figures = measure(recognizer, whisper, batches, arguments.seconds)
            print(line(model, kind, size, figures), flush=True)


if __name__ == "__main__":
    main()
