"""Decides when the database is written anew after words were erased. Used by the writer's thread.

SQLite zeros what is deleted, but a page that was split may keep a copy of what moved away. Only
writing every page anew removes those for certain. Commits wait meanwhile, so a large database is
scrubbed when nobody has committed anything for a while.
"""

from __future__ import annotations

import sqlite3
import time

import structlog

from order_events.storage import schema

SMALL_BYTES = 64 * 1024 * 1024
"""Size of a database that is scrubbed in less than a second, on most disks."""
QUIET_S, SMALL_QUIET_S = 30.0, 0.5
"""Seconds without a commit before it is scrubbed, …"""
LATEST_S, SMALL_LATEST_S = 86_400.0, 60.0
"""… and after which it is scrubbed even if there are commits all the time."""
RETRY_S = 5.0

logger = structlog.get_logger(__name__)


class Scrubber:
    """Scrubs a database some time after it has become due."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._committed = self._since = time.monotonic()
        self._not_before = 0.0
        self._vacuumed = False
        self.due = schema.is_scrub_due(db)

    def committed(self, *, erased: bool) -> None:
        """Note a commit, and whether it erased anything."""
        self._committed = time.monotonic()
        if erased:
            self._vacuumed = False
        if erased and not self.due:
            self.due, self._since = True, self._committed

    def work(self) -> None:
        """Scrub if it is due and this is a good moment."""
        now = time.monotonic()
        if not self.due or now < self._not_before:
            return
        small = schema.size(self._db) <= SMALL_BYTES
        quiet = now - self._committed >= (SMALL_QUIET_S if small else QUIET_S)
        if quiet or now - self._since >= (SMALL_LATEST_S if small else LATEST_S):
            self._scrub(now)

    def finish(self) -> None:
        """Scrub before the database is closed, if that is quick; otherwise the next start does."""
        if self.due and schema.size(self._db) <= SMALL_BYTES:
            self._scrub(time.monotonic())

    def _scrub(self, now: float) -> None:
        try:
            if not self._vacuumed:
                self._db.execute("VACUUM")
                self._vacuumed = True
            # A reader, such as a backup, may keep the old pages in the WAL for a while.
            if schema.empty_wal(self._db):
                schema.forget_scrub(self._db)
                self.due = self._vacuumed = False
        except sqlite3.Error as error:
            # It is full or locked; a sound database is as good as before.
            logger.warning("the database could not be scrubbed yet", why=str(error))
        if self.due:
            self._not_before = now + RETRY_S
