"""How many sessions can be served in time, by what serving them has cost so far.

Pure: knows no clock and no threads. A machine is full when the decodes that guests wait for take up
its workers' time; further partials are extra, given out as far as there is room.
"""

from __future__ import annotations

import math

_MEMORY_S = 60.0
"""What is older than this counts for a third of what is new."""
_PRIOR_S = 60.0
"""The first guess weighs as much as one session that has been watched for so long."""
_UTILISATION = 0.9
"""Share of the workers' time that may be promised. Waiting times grow without bound towards 1; at
0.93 finals and first partials were still in time (docs/measurements.md, "Streams")."""
_LEAST = 0.25
"""Sessions that have been quiet may begin to speak: none counts for less than this of the guess."""
_LATE_S = 0.5
"""Finals that wait longer than this for a worker, on average, leave no room for anybody else."""
_SMOOTHING = 0.2


class Capacity:
    """`guess` is the worker time that a second of a session is thought to cost before any has been
    measured. All times are seconds, `now` on a clock that never goes back.
    """

    def __init__(self, workers: int, guess: float) -> None:
        self._workers = workers
        self._guess = guess
        self._sessions = 0
        self._spent = 0.0
        self._watched = 0.0
        self._wait = 0.0
        self._at = 0.0

    def serving(self, sessions: int, now: float) -> None:
        """So many sessions are in progress, with their clients there, from now on."""
        self._forget(now)
        self._sessions = sessions

    def spent(self, seconds: float, now: float) -> None:
        """A decode that a guest waited for has taken a worker so long."""
        self._forget(now)
        self._spent += seconds

    def waited(self, seconds: float, now: float) -> None:
        """A final has waited so long for a worker."""
        self._forget(now)
        self._wait += _SMOOTHING * (seconds - self._wait)

    def limit(self, now: float) -> int:
        """How many sessions may be in progress; at least one."""
        self._forget(now)
        if self._wait > _LATE_S:
            return max(1, self._sessions)
        cost = (self._guess * _PRIOR_S + self._spent) / (_PRIOR_S + self._watched)
        return max(1, int(_UTILISATION * self._workers / max(cost, _LEAST * self._guess)))

    def _forget(self, now: float) -> None:
        kept = math.exp(-(now - self._at) / _MEMORY_S)
        self._spent *= kept
        self._watched = self._watched * kept + self._sessions * _MEMORY_S * (1 - kept)
        self._wait *= kept
        self._at = now
