"""The load of `fanout.py`: subscribers and publishers on raw sockets, cheap enough for one core.

Every subscriber counts its frames. One in `SAMPLE` also decodes them, with the context that a
browser would keep, and records when each event arrived.
"""

from __future__ import annotations

import base64
import os
import select
import socket
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

SAMPLE = 25
_RECEIVE = 262_144
_TEXT, _PING, _PONG = 0x1, 0x9, 0xA


class Subscriber:
    """A WebSocket that counts events."""

    def __init__(self, connected: socket.socket, rest: bytes) -> None:
        self.socket = connected
        self.events = 0
        self._tail = rest

    def readable(self) -> int:
        """Read what is there; return the number of events in it.

        Raises ConnectionError at the end.
        """
        data = self.socket.recv(_RECEIVE)
        if not data:
            raise ConnectionError(f"the server closed a subscriber after {self.events} events")
        return self.feed(data)

    def feed(self, data: bytes) -> int:
        """Take frames, whole or in part."""
        if self._tail:
            data = self._tail + data
        at, end, events = 0, len(data), 0
        while end - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                start = at + 4
                if start > end:
                    break
                size = data[at + 2] << 8 | data[at + 3]
            elif size == 127:
                start = at + 10
                size = int.from_bytes(data[at + 2 : start])
            if start + size > end:
                break
            if size > 1 and data[at] & 0xF == _TEXT:
                events += 1
            else:
                self._heartbeat(data[at] & 0xF, data[start : start + size])
            self.frame(data[at], data, start, start + size)
            at = start + size
        self._tail = data[at:]
        self.events += events
        return events

    def frame(self, first: int, data: bytes, start: int, end: int) -> None:
        """Handle a frame."""

    def _heartbeat(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            self.socket.send(masked(_PONG, payload))
        elif payload == b"2":
            # Engine.IO has a heartbeat of its own.
            self.socket.send(masked(_TEXT, b"3"))


class Sample(Subscriber):
    """A subscriber that decodes; `arrived` has the events' numbers and arrival times."""

    def __init__(self, connected: socket.socket, rest: bytes) -> None:
        super().__init__(connected, rest)
        self.arrived: list[tuple[int, float]] = []
        self._inflater = zlib.decompressobj(wbits=-15)

    def frame(self, first: int, data: bytes, start: int, end: int) -> None:
        """Find the event's number in the text."""
        payload = data[start:end]
        if first & 0x40:
            payload = self._inflater.decompress(payload + b"\x00\x00\xff\xff")
        _, found, rest = payload.partition(b'"number":"')
        if found:
            self.arrived.append((int(rest[: rest.index(b'"')]), time.perf_counter()))


class Publisher:
    """A keep-alive HTTP connection with at most one request in flight."""

    def __init__(self, url: str) -> None:
        to = urlsplit(url)
        self.socket = socket.create_connection((to.hostname, to.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.free = True
        self._data = b""

    def publish(self, request: bytes) -> None:
        """Send a request."""
        self.free = False
        self.socket.sendall(request)

    def readable(self) -> int:
        """Read the answer; raise RuntimeError if it is no success, ConnectionError at the end."""
        data = self.socket.recv(_RECEIVE)
        if not data:
            raise ConnectionError("the server closed a publisher")
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found:
            return 0
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        if len(body) >= length:
            if not head.startswith(b"HTTP/1.1 20"):
                raise RuntimeError(f"publishing was refused: {self._data!r}")
            self._data = b""
            self.free = True
        return 0


@dataclass(frozen=True, slots=True)
class Upgrade:
    """How subscribers ask for a WebSocket; `compress` offers permessage-deflate."""

    path: str
    headers: Sequence[str]
    compress: bool


class Load:
    """The subscribers and publishers of one server."""

    def __init__(
        self, url: str, upgrade: Upgrade, *, hello: bytes | None, subscribers: int, publishers: int
    ) -> None:
        self._epoll = select.epoll()
        self._by_fd: dict[int, Subscriber | Publisher] = {}
        self.samples: list[Sample] = []
        self.subscribers: list[Subscriber] = []
        for number in range(subscribers):
            kind = Subscriber if number % SAMPLE else Sample
            subscriber = kind(*_upgrade(url, upgrade))
            if hello is not None:
                subscriber.socket.sendall(masked(_TEXT, hello))
            self.subscribers.append(subscriber)
            self._add(subscriber)
            if isinstance(subscriber, Sample):
                self.samples.append(subscriber)
        self.publishers = [Publisher(url) for _ in range(publishers)]
        for publisher in self.publishers:
            self._add(publisher)
        self._settle()

    def close(self) -> None:
        """Close every connection."""
        for end in self._by_fd.values():
            end.socket.close()
        self._epoll.close()

    def paced(self, requests: Sequence[bytes], rate: float, limit_s: float) -> list[float]:
        """Publish at a fixed rate, as an open loop; return when each was sent, once all have
        arrived.
        """
        start = time.perf_counter() + 0.05
        due = [start + number / rate for number in range(len(requests))]
        return self._run(requests, lambda number, _: time.perf_counter() >= due[number], limit_s)

    def saturated(self, requests: Sequence[bytes], window: int, limit_s: float) -> list[float]:
        """Publish as fast as possible with at most `window` events in flight."""
        everybody = len(self.subscribers)
        return self._run(
            requests, lambda number, got: (number - window) * everybody <= got, limit_s
        )

    def _run(
        self, requests: Sequence[bytes], may_go: Callable[[int, int], bool], limit_s: float
    ) -> list[float]:
        for subscriber in self.subscribers:
            subscriber.events = 0
        for sample in self.samples:
            sample.arrived.clear()
        sent: list[float] = []
        got, wanted = 0, len(requests) * len(self.subscribers)
        deadline = time.perf_counter() + limit_s
        while got < wanted or len(sent) < len(requests):
            if time.perf_counter() > deadline:
                raise RuntimeError(f"{got} of {wanted} deliveries in {limit_s} s")
            while len(sent) < len(requests) and may_go(len(sent), got):
                publisher = next((p for p in self.publishers if p.free), None)
                if publisher is None:
                    break
                sent.append(time.perf_counter())
                publisher.publish(requests[len(sent) - 1])
            got += self._poll(0.001)
        while not all(publisher.free for publisher in self.publishers):
            self._poll(0.01)
        self._verify(len(requests))
        return sent

    def _verify(self, events: int) -> None:
        for subscriber in self.subscribers:
            if subscriber.events != events:
                raise RuntimeError(f"{subscriber.events} events instead of {events}")
        for sample in self.samples:
            if sorted(number for number, _ in sample.arrived) != list(range(events)):
                raise RuntimeError("an event was missed, doubled or garbled")

    def _poll(self, timeout: float) -> int:
        return sum(self._by_fd[fd].readable() for fd, _ in self._epoll.poll(timeout, 2048))

    def _settle(self) -> None:
        for subscriber in self.subscribers:
            # A greeting may have come with the handshake.
            subscriber.feed(b"")
        quiet = time.perf_counter()
        while time.perf_counter() - quiet < 0.5:
            if self._epoll.poll(0.05):
                self._poll(0)
                quiet = time.perf_counter()

    def _add(self, end: Subscriber | Publisher) -> None:
        self._by_fd[end.socket.fileno()] = end
        self._epoll.register(end.socket.fileno(), select.EPOLLIN)


def masked(opcode: int, payload: bytes) -> bytes:
    """Return a short client frame, with a mask of zeros."""
    return bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload


def _upgrade(url: str, upgrade: Upgrade) -> tuple[socket.socket, bytes]:
    to = urlsplit(url)
    connected = socket.create_connection((to.hostname, to.port), timeout=30)
    lines = [
        f"GET {upgrade.path} HTTP/1.1",
        f"Host: {to.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        *upgrade.headers,
    ]
    if upgrade.compress:
        # As browsers offer it.
        lines.append("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
    connected.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = connected.recv(4096)
        if not part:
            raise ConnectionError(f"no upgrade: {answer!r}")
        answer += part
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b" 101 " not in head or (b"permessage-deflate" in head) is not upgrade.compress:
        raise ConnectionError(f"no upgrade as asked for: {head!r}")
    # Read only when there is something: a time-out would cost a system call each time.
    connected.settimeout(None)
    return connected, rest
