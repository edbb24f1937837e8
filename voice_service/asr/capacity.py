"""How many sessions this machine can serve in time, estimated from what they have cost so far.

Pure: knows no clock and no threads. A machine is full when the decodes that guests wait for take up
its workers' time; further partials are extra and use what time is left.
"""

from __future__ import annotations

import math

_MEMORY_S = 60.0
"""Time constant of the averages: a cost this old has about a third of the weight of a new one."""
_PRIOR_S = 60.0
"""The initial guess weighs as much as one session observed for this long."""
_UTILISATION = 0.9
"""Share of the workers' time that may be allotted; near 1, waiting times grow without bound."""
_LEAST = 0.25
"""The least share of the guess that a session counts for, since quiet guests may begin to speak."""
_DOUBT_S = 30.0
"""Time over which a new measurement is trusted. Guests who have just arrived have not spoken yet;
without this delay, a crowd arriving at once would make room for four times as many."""
_LATE_S = 0.5
"""When finals wait longer than this for a worker, on average, no further session is admitted."""
_SMOOTHING = 0.2


class Capacity:
    """An estimate of how many sessions `workers` can serve.

    `guess` is the worker time that a second of a session is assumed to cost before any has been
    measured. All times are in seconds, `now` on a monotonic clock.
    """

    def __init__(self, workers: int, guess: float) -> None:
        self._workers = workers
        self._guess = guess
        self._cost = guess
        self._sessions = 0
        self._spent = 0.0
        self._watched = 0.0
        self._wait = 0.0
        self._at = 0.0

    def serving(self, sessions: int, now: float) -> None:
        """Record that `sessions` with a connected client are in progress from now on."""
        self._forget(now)
        self._sessions = sessions

    def spent(self, seconds: float, now: float) -> None:
        """Record the worker time of a decode that a guest waited for."""
        self._forget(now)
        self._spent += seconds

    def waited(self, seconds: float, now: float) -> None:
        """Record how long a final waited for a worker."""
        self._forget(now)
        self._wait += _SMOOTHING * (seconds - self._wait)

    def limit(self, now: float) -> int:
        """Return how many sessions may be in progress; at least one."""
        self._forget(now)
        if self._wait > _LATE_S:
            return max(1, self._sessions)
        return max(1, int(_UTILISATION * self._workers / self._cost))

    def _measured(self) -> float:
        """Return the worker time that a second of a session has cost recently."""
        cost = (self._guess * _PRIOR_S + self._spent) / (_PRIOR_S + self._watched)
        return max(cost, _LEAST * self._guess)

    def _forget(self, now: float) -> None:
        kept = math.exp(-(now - self._at) / _MEMORY_S)
        self._spent *= kept
        self._watched = self._watched * kept + self._sessions * _MEMORY_S * (1 - kept)
        self._wait *= kept
        trusted = 1 - math.exp(-(now - self._at) / _DOUBT_S)
        self._cost += trusted * (self._measured() - self._cost)
        self._at = now
