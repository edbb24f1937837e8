"""Many real-time streams from one process: what they send, when, and what came back.

The client must not cost what it measures: chunks are encoded once per utterance and shared by all
streams, messages are stored as they come and read after the run. Its own processor time, and how
late it was with its chunks, are part of every result.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import aiohttp
import numpy as np
import psutil
from dialects import Dialect, Message, Received, Refused
from harness import Recording, Service, noisy, silence
from shown import Spoken, words

from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.commands.pacing import pcm

LEAD: Final = 0.5
"""Seconds that the microphone is on before the first utterance."""
PAUSE: Final = 2.0
"""Least seconds from the end of an utterance to the beginning of the next recording."""
DRAIN: Final = 5.0
"""Seconds that the microphone stays on after the last pause: for servers that are late."""
_STAGGER: Final = 0.6
"""Seconds from one stream's start to the next, where that gets all of them going in `_RAMP`."""
_RAMP: Final = 30.0
_ANSWER: Final = 15.0
"""Seconds that the answer to the end of a stream may take."""
_SAMPLE: Final = 1.0
"""Seconds between looks at the server's memory."""


@dataclass(frozen=True)
class Turn:
    """One recording and the pause after it, in chunks."""

    spoken: Spoken
    chunks: tuple[Message, ...]


@dataclass(frozen=True)
class Script:
    """What streams say: recordings in turn, each stream starting with a different one."""

    turns: tuple[Turn, ...]
    quiet: Message
    chunk: float

    @classmethod
    def of(
        cls,
        recordings: Sequence[Recording],
        dialect: Dialect,
        chunk_ms: int,
        noise: Samples | None = None,
        snr: float = 0.0,
    ) -> Script:
        """Encode recordings for a server, in chunks of `chunk_ms`.

        Noise is under speech and pauses alike, at `snr` dB of each recording's speech.
        """
        length = SAMPLE_RATE * chunk_ms // 1000
        quiet = dialect.encode(pcm(silence(length / SAMPLE_RATE)))
        turns = []
        for seed, recording in enumerate(recordings):
            samples = _with_pause(recording, length)
            if noise is not None:
                samples = noisy(samples, (recording.onset, recording.end), noise, snr, seed)
            turns.append(_turn(recording, samples, dialect, length))
        return cls(tuple(turns), quiet, chunk_ms / 1000)

    def play(self, first: int, seconds: float) -> tuple[list[Message], list[Spoken]]:
        """Return the chunks of a stream of at least `seconds`, and what is said in it when."""
        chunks = [self.quiet] * round(LEAD / self.chunk)
        said: list[Spoken] = []
        for turn in itertools.islice(itertools.cycle(self.turns), first, None):
            at = len(chunks) * self.chunk
            spoken = turn.spoken
            said.append(Spoken(at + spoken.onset, at + spoken.end, spoken.words))
            chunks += turn.chunks
            if len(chunks) * self.chunk >= seconds:
                break
        return chunks + [self.quiet] * round(DRAIN / self.chunk), said


def _with_pause(recording: Recording, length: int) -> Samples:
    # The pause counts from the end of speech, however the recording itself was cut.
    spoken = recording.samples[: round((recording.end + 0.05) * SAMPLE_RATE)]
    count = -(-(len(spoken) + round(PAUSE * SAMPLE_RATE)) // length)
    return np.concatenate([spoken, silence(count * length / SAMPLE_RATE)])[: count * length]


def _turn(recording: Recording, samples: Samples, dialect: Dialect, length: int) -> Turn:
    parts = np.split(samples, len(samples) // length)
    chunks = tuple(dialect.encode(pcm(part)) for part in parts)
    return Turn(Spoken(recording.onset, recording.end, words(recording.text)), chunks)


@dataclass
class Cost:
    """What a run took. Processor time in seconds, memory in bytes.

    `main_thread` is the part of `server` that its first thread used: of this service, the event
    loop's, which does all but recognition.
    """

    audio: float = 0.0
    server: float = 0.0
    main_thread: float = 0.0
    client: float = 0.0
    wall: float = 0.0
    late: list[float] = field(default_factory=list)
    memory: list[tuple[float, int]] = field(default_factory=list)


@dataclass
class Run:
    """What streams said and what they received, and what it cost."""

    said: list[list[Spoken]]
    received: list[list[Received]]
    cost: Cost


@dataclass
class _Stream:
    """One stream of a run. Times are of the loop's clock; its microphone is on from `start`."""

    dialect: Dialect
    socket: aiohttp.ClientWebSocketResponse
    start: float = 0.0
    received: list[Received] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    ending: bool = False

    async def listen(self) -> None:
        """Keep what comes until the server has sent everything."""
        loop = asyncio.get_running_loop()
        async for message in self.socket:
            self.received.append((loop.time(), message.data))
            if self.ending and self.dialect.is_last(message.data):
                return

    async def speak(self, chunks: Sequence[Message], chunk: float) -> None:
        """Send each chunk when a microphone would have it."""
        loop = asyncio.get_running_loop()
        for i, encoded in enumerate(chunks, 1):
            wait = self.start + i * chunk - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            self.late.append(loop.time() - self.start - i * chunk)
            await self._send(self.dialect.audio(encoded, i))

    async def finish(self) -> None:
        """Tell the server that this is all."""
        self.ending = True
        await self._send(self.dialect.end())

    async def _send(self, message: Message) -> None:
        if isinstance(message, str):
            await self.socket.send_str(message)
        else:
            await self.socket.send_bytes(message)


async def run(
    to: Service, script: Script, dialect: Callable[[], Dialect], streams: int, seconds: float
) -> Run:
    """Run a number of streams at once, started staggered; each connects when its guest comes.

    Raises `Refused` if the server does not take one of them, and psutil's NoSuchProcess if it died.
    """
    loop = asyncio.get_running_loop()
    plays = [script.play(i, seconds) for i in range(streams)]
    stagger = min(_STAGGER, _RAMP / streams)
    async with contextlib.AsyncExitStack() as open_ones:
        http = await open_ones.enter_async_context(aiohttp.ClientSession())
        with metered(to.process) as cost:
            watch = asyncio.create_task(watch_memory(to.process, cost))
            began = loop.time()
            connect = partial(_connect, open_ones, http, to)
            guests = [
                _guest(connect, dialect(), chunks, began + i * stagger, script.chunk)
                for i, (chunks, _) in enumerate(plays)
            ]
            talkers = await asyncio.gather(*guests)
            watch.cancel()
    cost.audio = sum(len(chunks) for chunks, _ in plays) * script.chunk
    cost.late = list(itertools.chain.from_iterable(talker.late for talker in talkers))
    received = [
        [(at - talker.start, message) for at, message in talker.received] for talker in talkers
    ]
    return Run([said for _, said in plays], received, cost)


async def _guest(
    connect: Callable[[Dialect], Awaitable[_Stream]],
    dialect: Dialect,
    chunks: Sequence[Message],
    at: float,
    chunk: float,
) -> _Stream:
    """Connect at the loop's time `at`, send everything and listen to the end."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(at - loop.time())
    talker = await connect(dialect)
    talker.start = loop.time()
    await _talk(talker, chunks, chunk)
    return talker


async def _connect(
    open_ones: contextlib.AsyncExitStack, http: aiohttp.ClientSession, to: Service, dialect: Dialect
) -> _Stream:
    headers = {"Authorization": f"Bearer {to.token}"} if to.token else None
    try:
        socket = await open_ones.enter_async_context(
            http.ws_connect(to.url, headers=headers, max_msg_size=0)
        )
    except aiohttp.ClientError as error:
        raise Refused(str(error)) from error
    await dialect.greet(socket)
    return _Stream(dialect, socket)


async def _talk(talker: _Stream, chunks: Sequence[Message], chunk: float) -> None:
    listening = asyncio.create_task(talker.listen())
    try:
        # A server that hangs up early has lost the rest: its finals will be missing.
        with contextlib.suppress(ConnectionError):
            await talker.speak(chunks, chunk)
            await talker.finish()
        await asyncio.wait({listening}, timeout=_ANSWER)
        if listening.done():
            listening.result()
    finally:
        listening.cancel()


@contextlib.contextmanager
def metered(server: psutil.Process) -> Iterator[Cost]:
    """Measure what a server costs in the block, without its memory and the audio."""
    cost = Cost()
    used, own, began = cpu(server), time.process_time(), time.monotonic()
    main = main_thread(server)
    yield cost
    cost.server = cpu(server) - used
    cost.main_thread = main_thread(server) - main
    cost.client = time.process_time() - own
    cost.wall = time.monotonic() - began


def cpu(server: psutil.Process) -> float:
    """Return the processor seconds that a server and its processes have used."""
    times = [process.cpu_times() for process in _tree(server)]
    return float(sum(t.user + t.system for t in times))


def main_thread(server: psutil.Process) -> float:
    """Return the processor seconds that the first thread of a process has used."""
    [times] = [thread for thread in server.threads() if thread.id == server.pid]
    return float(times.user_time + times.system_time)


def _tree(server: psutil.Process) -> list[psutil.Process]:
    return [server, *server.children(recursive=True)]


async def watch_memory(server: psutil.Process, cost: Cost) -> None:
    """Record a server's memory every second."""
    began = time.monotonic()
    while True:
        resident = sum(process.memory_info().rss for process in _tree(server))
        cost.memory.append((time.monotonic() - began, resident))
        await asyncio.sleep(_SAMPLE)
