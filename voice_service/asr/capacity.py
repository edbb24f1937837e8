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
"""Share of the workers' time that may be promised: waiting times grow without bound towards 1."""
_LEAST = 0.25
"""Sessions that have been quiet may begin to speak: none counts for less than this of the guess."""
_DOUBT_S = 30.0
"""What sessions cost is believed over so long: who has just come has not said anything yet, and a
crowd that comes at once would let in four times itself."""
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
        self._cost = guess
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
        return max(1, int(_UTILISATION * self._workers / self._cost))

    def _measured(self) -> float:
        """Worker time that a second of a session has cost of late."""
        cost = (self._guess * _PRIOR_S + self._spent) / (_PRIOR_S + self._watched)
        return max(cost, _LEAST * self._guess)

    def _forget(self, now: float) -> None:
        kept = math.exp(-(now - self._at) / _MEMORY_S)
        self._spent *= kept
        self._watched = self._watched * kept + self._sessions * _MEMORY_S * (1 - kept)
        self._wait *= kept
        believed = 1 - math.exp(-(now - self._at) / _DOUBT_S)
        self._cost += believed * (self._measured() - self._cost)
        self._at = now
