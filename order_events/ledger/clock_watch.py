"""Doubts a clock that has jumped ahead: by it, everything would be too old to keep. Pure."""

from __future__ import annotations

JUMP_S = 3_600.0
"""Seconds by which the clock may gain on the time that has passed, while the process runs."""
AWAY_S = 7 * 86_400.0
"""Seconds since the last run before this start that need no second opinion."""


class ClockWatch:
    """After a jump, the clock is doubted until it has gone on steadily for `doubt_s` seconds.

    Meanwhile a person can set it right; once it has jumped back, it is trusted again. `last` is
    when it was last known to be right (Unix seconds), if ever.
    """

    def __init__(self, doubt_s: float, last: float | None, wall: float, steady: float) -> None:
        self._doubt_s = doubt_s
        self._wall = wall
        self._steady = steady
        self._doubted_until: float | None = None
        if last is not None and wall - last > AWAY_S:
            self._doubted_until = steady + doubt_s

    def doubts(self, wall: float, steady: float) -> bool:
        """Return whether the clock's `wall` (Unix seconds) is doubted; `steady` never jumps."""
        gained = (wall - self._wall) - (steady - self._steady)
        self._wall, self._steady = wall, steady
        if gained > JUMP_S:
            self._doubted_until = steady + self._doubt_s
        elif gained < -JUMP_S or (
            self._doubted_until is not None and steady >= self._doubted_until
        ):
            self._doubted_until = None
        return self._doubted_until is not None
