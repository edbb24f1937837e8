"""How many real-time streams this machine holds; the same for WhisperLiveKit and WhisperLive.

    python benchmarks/streams.py [--manifest FILE] [--systems service whisperlivekit-la …]
    python benchmarks/streams.py --streams 1 4 16 32 --plot docs/streams.png
    python benchmarks/streams.py --soak 30 --streams 10
    python benchmarks/streams.py --device cuda --limit 0.5 --batch-sizes 1 4 16 32

Each stream loops recordings of 3 to 5 s with pauses of 2 s for two minutes; streams start 0.6 s
apart (from 50 streams on, within 30 s), each with the next recording. A number of streams is held
when the 95th percentiles of onset → first partial and of end of speech → final are within `--limit`
and no final is missing. Without `--streams` the number goes up until it is not held, then the place
is narrowed down. Every level has a fresh server, which one utterance has warmed up.

All systems hear the same chunks from the same client (`load.py`) through their own protocols
(`dialects.py`), with the same weights, int8, beam 1 for the peers, and as many threads as there are
cores. First partial: the first word of an utterance that is shown, committed or not. Final: the
last of its words is committed, that is, sent as text that will not change (a final transcript;
WhisperLiveKit's `lines`; WhisperLive's completed segments). `shown.py` says how words are told
apart, `peers.py` how the peers are installed (a few GB, once; pip's own settings apply). `--plot`
needs matplotlib: `pip install --group benchmarks`.

Columns: seconds as p50 and p95; "settled" is how long a word's place was filled before it and all
before it stayed as they were; "changed" the share of words in partials that the committed text has
not; "right" the share of spoken words in the committed text; CPU seconds of the server per second
of audio, and of its main thread alone in per cent (in this service it does all but recognition);
its memory at the most and its growth per stream, in MB; the client's own share of a core and its
99th percentile of lateness in ms, which should be small. `--batch-sizes` measures this service once
with each, 1 being no batches; where there are GPUs, a line below says how busy they were
(`batches.py` says with what).

This service listens without a menu and takes every session, like the peers. `--orders` gives its
recogniser the demo menu and reads orders from what it hears; with `--admission` it refuses sessions
that it has no time for, and a level with a refused one is "not served".
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import peers
import psutil
from dialects import Dialect, Refused, VoiceService
from gpus import watched
from harness import Recording, Service, read_recordings, service
from load import Cost, Run, Script, run
from shown import Figures, figures

from voice_service.audio.recordings import read_audio
from voice_service.models.registry import default_models_dir, resolve

_LEVELS: Final = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
_SERVICE: Final = "service"
_SOAK_WINDOW: Final = 300.0
"""Seconds at the beginning and at the end of a soak that are compared."""


@dataclass(frozen=True)
class System:
    """A system to measure: how to start its server and how to talk to it."""

    name: str
    dialect: Callable[[], Dialect]
    start: Callable[[], contextlib.AbstractContextManager[Service]]


@dataclass(frozen=True)
class Level:
    """The figures of a number of streams; None if the server refused one of them or died."""

    streams: int
    figures: Figures | None = None
    cost: Cost | None = None

    def held(self, limit: float) -> bool:
        """Return whether every guest was served in time."""
        return self.badness() <= limit

    def badness(self) -> float:
        """Return the later 95th percentile in seconds; infinite if a guest was not served."""
        found = self.figures
        if found is None or found.missing or not found.final:
            return float("inf")
        return max(p95(found.first_partial), p95(found.final))

    @property
    def cpu(self) -> float:
        """Return the processor seconds of the server per second of audio."""
        return self.cost.server / self.cost.audio if self.cost else float("nan")


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return float(np.percentile(values, 95))


def judge(ran: Run, dialect: Callable[[], Dialect]) -> Figures:
    """Return the figures of all streams of a run."""
    total = Figures()
    for said, received in zip(ran.said, ran.received, strict=True):
        total.add(figures(list(dialect().shown(received)), said))
    return total


def scripted(
    system: System, recordings: Sequence[Recording], arguments: argparse.Namespace
) -> Script:
    """Return what the streams say, in the system's protocol."""
    noise = read_audio(arguments.noise) if arguments.noise else None
    return Script.of(recordings, system.dialect(), arguments.chunk_ms, noise, arguments.snr)


def measure(
    system: System, recordings: Sequence[Recording], streams: int, arguments: argparse.Namespace
) -> Level:
    """Measure one level on a fresh, warm server."""
    script = scripted(system, recordings, arguments)
    with system.start() as to:
        try:
            asyncio.run(run(to, script, system.dialect, 1, 1.0))
            with watched() as gpus:
                ran = asyncio.run(run(to, script, system.dialect, streams, arguments.seconds))
        except (Refused, psutil.NoSuchProcess) as failure:
            print(f"{system.name:18} {streams:7}  not served: {failure}", flush=True)
            return Level(streams)
    level = Level(streams, judge(ran, system.dialect), ran.cost)
    print(line(system.name, level, arguments.limit), flush=True)
    if gpus.busy:
        print(f"{'':18} {gpus}", flush=True)
    return level


def repeated(measured: Callable[[], Level], times: int) -> Level:
    """Return the worst of some runs: a level must be held every time."""
    return max((measured() for _ in range(times)), key=Level.badness)


def search(measured: Callable[[int], Level], limit: float) -> list[Level]:
    """Return levels upwards until one is not held, then between, to within an eighth, in that
    order.
    """
    levels: list[Level] = []
    held, failed = 0, 0
    for streams in _LEVELS:
        levels.append(measured(streams))
        if not levels[-1].held(limit):
            failed = streams
            break
        held = streams
    while failed - held > max(1, held // 8):
        levels.append(measured((held + failed) // 2))
        if levels[-1].held(limit):
            held = levels[-1].streams
        else:
            failed = levels[-1].streams
    return levels


HEADER: Final = (
    "system             streams  held  first partial  end → final   missing  settled      changed"
    "  right  CPU s/s  main %     MB  MB/str.  client  late ms"
)


def line(name: str, level: Level, limit: float) -> str:
    """Return a level as a line under `HEADER`."""
    found, cost = level.figures, level.cost
    if found is None or cost is None:
        raise ValueError("a level that was not served has no figures")
    asked = len(found.waits)
    resident = [size / 1e6 for _, size in cost.memory]
    return (
        f"{name:18} {level.streams:7}  {'yes' if level.held(limit) else 'no':4}  "
        f"{pair(found.first_partial)}    {pair(found.final)}  {found.missing:3}/{asked:<4} "
        f"{pair(found.settled)}  {share(found.changed, found.partial)}  "
        f"{share(found.right, found.spoken)}  {level.cpu:7.3f}  "
        f"{100 * cost.main_thread / cost.audio:6.2f}  {max(resident):5.0f}  "
        f"{(max(resident) - resident[0]) / level.streams:7.1f}  "
        f"{100 * cost.client / cost.wall:4.1f} %  {1000 * np.percentile(cost.late, 99):7.1f}"
    )


def pair(values: Sequence[float]) -> str:
    """Return the median and 95th percentile."""
    if not values:
        return "    -      -"
    return f"{np.percentile(values, 50):5.2f}  {p95(values):5.2f}"


def share(part: int, whole: int) -> str:
    """Return a share in per cent."""
    return f"{100 * part / whole:5.1f}" if whole else "    -"


def soak(system: System, recordings: Sequence[Recording], arguments: argparse.Namespace) -> None:
    """Run for long; compare the last minutes with the first, and memory over time."""
    script = scripted(system, recordings, arguments)
    seconds = 60 * arguments.soak
    window = min(_SOAK_WINDOW, seconds / 2)
    for streams in arguments.streams:
        with system.start() as to:
            asyncio.run(run(to, script, system.dialect, 1, 1.0))
            ran = asyncio.run(run(to, script, system.dialect, streams, seconds))
        found = judge(ran, system.dialect)
        print(line(system.name, Level(streams, found, ran.cost), arguments.limit))
        for name, begin in (("first", 0.0), ("last", seconds - window)):
            part = found.during(begin, begin + window)
            print(
                f"{name:5} {window:.0f} s: first partial {pair(part.first_partial)}, "
                f"end → final {pair(part.final)}, missing {part.missing}",
            )
        minutes = [size / 1e6 for _, size in ran.cost.memory[::60]]
        print("MB by the minute:", " ".join(f"{size:.0f}" for size in minutes), flush=True)


@contextlib.contextmanager
def own_service(arguments: argparse.Namespace, *more: str) -> Iterator[Service]:
    """Return this service, with the command line's options."""
    options = ["--model", arguments.model, "--device", arguments.device]
    options += ["--max-connections-per-user", "10000"]
    if arguments.admission:
        options += ["--max-sessions", "0"]
    with service([*options, *shlex.split(arguments.serve), *more]) as to:
        yield to


def systems(arguments: argparse.Namespace) -> list[System]:
    """Return the systems that the command line names."""
    found = []
    own = partial(VoiceService, orders=arguments.orders)
    for name in arguments.systems:
        if name == _SERVICE and arguments.batch_sizes:
            for size in map(str, arguments.batch_sizes):
                start = partial(own_service, arguments, "--batch-size", size)
                found.append(System(f"{name} batch {size}", own, start))
        elif name == _SERVICE:
            found.append(System(name, own, partial(own_service, arguments)))
        else:
            found.append(_peer(name, arguments))
    return found


def _peer(name: str, arguments: argparse.Namespace) -> System:
    model = Path(resolve(arguments.model, default_models_dir()).location)
    cache: Path = arguments.cache
    cache.mkdir(parents=True, exist_ok=True)
    return System(name, peers.PEERS[name].dialect, lambda: peers.serve(name, model, cache))


def default_cache() -> Path:
    """Return where environments are kept, outside the repository."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "voice-ordering-benchmarks"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    choices = [_SERVICE, *peers.PEERS]
    made.add_argument("--systems", nargs="+", choices=choices, default=[_SERVICE])
    made.add_argument("--streams", type=int, nargs="+", help="these levels alone")
    made.add_argument("--seconds", type=float, default=120.0, help="of each stream")
    made.add_argument("--repeats", type=int, default=1, help="runs per level: the worst counts")
    made.add_argument("--limit", type=float, default=1.5, help="seconds that p95 may be")
    made.add_argument("--soak", type=float, metavar="MINUTES", help="one long run per level")
    made.add_argument("--plot", type=Path, help="CPU per audio second over streams, as a PNG")
    made.add_argument("--manifest", type=Path, help="real recordings instead of the fixtures")
    made.add_argument("--without", nargs="*", default=[], help="sets to leave out")
    made.add_argument("--shortest", type=float, default=3.0, help="seconds of speech")
    made.add_argument("--longest", type=float, default=5.0, help="seconds of speech")
    made.add_argument("--noise", type=Path, help="a recording to mix in, in the pauses as well")
    made.add_argument("--snr", type=float, default=10.0, help="dB of speech over the noise")
    made.add_argument("--chunk-ms", type=int, default=100, choices=[20, 40, 50, 100])
    made.add_argument("--model", default="tiny.en")
    made.add_argument("--device", default="cpu", help="of this service: cpu or cuda")
    made.add_argument("--batch-sizes", type=int, nargs="+", help="of this service, each measured")
    made.add_argument("--orders", action="store_true", help="of this service: demo menu, orders")
    made.add_argument("--admission", action="store_true", help="this service refuses sessions")
    made.add_argument("--serve", default="", help="options of `voice-service serve`, quoted")
    made.add_argument("--cache", type=Path, default=default_cache(), help="environments of peers")
    return made


def main() -> None:
    arguments = parser().parse_args()
    if arguments.soak and not arguments.streams:
        raise SystemExit("--soak needs --streams")
    recordings = read_recordings(arguments.manifest, without=arguments.without)
    recordings = [
        r for r in recordings if arguments.shortest <= r.end - r.onset <= arguments.longest
    ]
    if not recordings:
        raise SystemExit("no recording is as long as --shortest and --longest want")
    print(f"{len(recordings)} recordings, model {arguments.model} on {arguments.device}")
    print(HEADER)
    if arguments.soak:
        for system in systems(arguments):
            soak(system, recordings, arguments)
        return
    results: dict[str, list[Level]] = {}
    for system in systems(arguments):

        def measured(streams: int, system: System = system) -> Level:
            once = partial(measure, system, recordings, streams, arguments)
            return repeated(once, arguments.repeats)

        if arguments.streams:
            results[system.name] = [measured(streams) for streams in arguments.streams]
        else:
            results[system.name] = search(measured, arguments.limit)
    for name, levels in results.items():
        held = max((level.streams for level in levels if level.held(arguments.limit)), default=0)
        print(f"{name}: held {held} streams")
    if arguments.plot:
        plot(results, arguments.plot)


def plot(results: dict[str, list[Level]], path: Path) -> None:
    """Plot CPU seconds per audio second over the number of streams."""
    from matplotlib.figure import Figure  # noqa: PLC0415  an optional group

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="streams", ylabel="CPU s per audio s")
    for name, levels in results.items():
        points = sorted((level.streams, level.cpu) for level in levels if level.cost)
        axes.plot(*zip(*points, strict=True), marker="o", label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted({level.streams for levels in results.values() for level in levels}))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_ylim(bottom=0)
    axes.legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
