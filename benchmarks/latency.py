"""How long guests wait: first partial, gaps between partials, final; and what a session costs.

    python benchmarks/latency.py [--sessions 1 2 4 8] [--manifest FILE] [--seconds 60]

Each session streams recordings at real-time pace, with pauses of 2 s between them, to a service in
a process of its own; sessions start staggered. Times count from the moment a microphone would have
had the sample in question: onset and end of speech come from the fixtures' descriptions or, for a
manifest, from frame energy. The last final of a recording counts, and the first partial; recordings
without one are counted in the last columns.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from harness import (
    Recording,
    Service,
    finals,
    percentiles,
    read_recordings,
    service,
    silence,
    stream,
)
from load import metered, watch_memory

from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.client.stream import Event

_PAUSE = 2.0
_STAGGER = 0.6


@dataclass
class Figures:
    """What was measured, in seconds."""

    first_partial: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    final: list[float] = field(default_factory=list)
    recordings: int = 0


def loop_of(
    recordings: list[Recording], first: int, seconds: float
) -> tuple[Samples, list[tuple[float, float]]]:
    """Return about `seconds` of recordings with pauses, and where speech is in them."""
    parts: list[Samples] = [silence(0.5)]
    spans: list[tuple[float, float]] = []
    length = 0.5
    for recording in itertools.islice(itertools.cycle(recordings), first, None):
        spans.append((length + recording.onset, length + recording.end))
        # The pause counts from the end of speech, however the recording itself was cut.
        spoken = recording.samples[: round((recording.end + 0.05) * SAMPLE_RATE)]
        parts += [spoken, silence(_PAUSE)]
        length += len(spoken) / SAMPLE_RATE + _PAUSE
        if length >= seconds:
            return np.concatenate(parts), spans
    raise ValueError("no recordings")


def measure(
    events: list[tuple[float, Event]], spans: list[tuple[float, float]], into: Figures
) -> None:
    """Add one session's figures."""
    partials = [
        (t, e["data"])
        for t, e in events
        if e["type"] == "voice:transcript" and not e["data"]["is_final"]
    ]
    ends = [(t, e["data"]) for t, e in finals(events)]
    for i, (onset, end) in enumerate(spans):
        until = spans[i + 1][0] if i + 1 < len(spans) else float("inf")
        mine = [t for t, d in partials if onset - 0.5 <= d["end_ms"] / 1000 < until - 0.5]
        last = [t for t, d in ends if onset <= d["end_ms"] / 1000 < until]
        if mine:
            into.first_partial.append(mine[0] - onset)
            into.gaps += [b - a for a, b in itertools.pairwise(mine)]
        if last:
            into.final.append(last[-1] - end)
    into.recordings += len(spans)


async def run(to: Service, recordings: list[Recording], sessions: int, seconds: float) -> None:
    """Measure with a number of sessions at once and print a line."""
    streams = [loop_of(recordings, 3 * i, seconds) for i in range(sessions)]

    async def one(i: int) -> list[tuple[float, Event]]:
        await asyncio.sleep(i * _STAGGER)
        return await stream(to, streams[i][0])

    with metered(to.process) as cost:
        watch = asyncio.create_task(watch_memory(to.process, cost))
        results = await asyncio.gather(*(one(i) for i in range(sessions)))
        watch.cancel()
    figures = Figures()
    for events, (_, spans) in zip(results, streams, strict=True):
        measure(events, spans, figures)
    audio = sum(len(samples) for samples, _ in streams) / SAMPLE_RATE
    resident = [size for _, size in cost.memory]
    memory = (max(resident) - resident[0]) / sessions / 1e6
    print(
        f"{sessions:8}  {percentiles(figures.first_partial)}   {percentiles(figures.gaps)}   "
        f"{percentiles(figures.final)}   {cost.server / audio:8.3f}  {memory:8.1f}  "
        f"{figures.recordings - len(figures.first_partial):10}  "
        f"{figures.recordings - len(figures.final):8} of {figures.recordings}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, nargs="*", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=60.0, help="of audio per session")
    parser.add_argument("--manifest", type=Path, help="real recordings instead of the fixtures")
    parser.add_argument("--without", nargs="*", default=["fsdd_digits"])
    parser.add_argument("--model", default="tiny.en")
    parser.add_argument("--serve", default="", help="options of `voice-service serve`, quoted")
    arguments = parser.parse_args()
    recordings = read_recordings(arguments.manifest, without=arguments.without)
    print(f"{len(recordings)} recordings, model {arguments.model}; seconds: p50 p90 p99")
    print(
        "sessions  onset→first partial   between partials      end of speech→final   CPU s/s   "
        "MB/sess.  no partial  no final"
    )
    with service(["--model", arguments.model, *shlex.split(arguments.serve)]) as to:
        for sessions in arguments.sessions:
            asyncio.run(run(to, recordings, sessions, arguments.seconds))


if __name__ == "__main__":
    main()
