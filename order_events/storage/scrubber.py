"""Decides when the database is written anew after words were erased. Used by the writer's thread.

SQLite zeros what is deleted, but a page that was split may keep a copy of what moved away. Only
writing every page anew removes those for certain. Commits wait meanwhile, so a large database is
scrubbed when nobody has committed anything for a while.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from pathlib import Path

import structlog

from order_events.storage import schema

SMALL_BYTES = 64 * 1024 * 1024
"""Size of a database that is scrubbed in less than a second, on most disks."""
QUIET_S, SMALL_QUIET_S = 30.0, 0.5
"""Seconds without a commit before it is scrubbed, …"""
LATEST_S, SMALL_LATEST_S = 86_400.0, 60.0
"""… and after which it is scrubbed even if there are commits all the time."""
RETRY_S = 5.0
"""Seconds from the end of a failed attempt to the next; each further failure doubles them, …"""
LONGEST_RETRY_S, LONGEST_WAL_RETRY_S = 14_400.0, 60.0
"""… up to this; and to this if only the WAL is left, which takes little time."""
ROOM = 2
"""How many times the size of the database `VACUUM` may need on the disk."""

logger = structlog.get_logger(__name__)


class Scrubber:
    """Scrubs a database some time after it has become due."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._directory = Path(db.execute("PRAGMA database_list").fetchone()[2]).parent
        self._committed = time.monotonic()
        self._since: float | None = None
        self._not_before = 0.0
        self._pause = RETRY_S
        self._vacuumed = False
        self._due_at = schema.scrub_due_at(db)

    @property
    def due(self) -> bool:
        """True from when the database is to be scrubbed."""
        return self._due_at is not None and time.time() >= self._due_at

    def committed(self, *, erased: bool) -> None:
        """Note a commit, and whether it erased anything."""
        self._committed = time.monotonic()
        if erased:
            self._vacuumed = False
            self._due_at = schema.scrub_due_at(self._db)

    def work(self) -> None:
        """Scrub if it is due and this is a good moment."""
        now = time.monotonic()
        if not self.due:
            return
        if self._since is None:
            self._since = now
        if now < self._not_before:
            return
        small = schema.size(self._db) <= SMALL_BYTES
        quiet = now - self._committed >= (SMALL_QUIET_S if small else QUIET_S)
        if quiet or now - self._since >= (SMALL_LATEST_S if small else LATEST_S):
            self._scrub()

    def finish(self) -> None:
        """Scrub before the database is closed, if that is quick; otherwise the next start does."""
        if self.due and schema.size(self._db) <= SMALL_BYTES:
            self._scrub()

    def _scrub(self) -> None:
        try:
            if not self._vacuumed:
                self._vacuum()
            # A reader, such as a backup, may keep the old pages in the WAL for a while.
            if self._vacuumed and schema.empty_wal(self._db):
                schema.forget_scrub(self._db)
                self._due_at = self._since = None
                self._vacuumed, self._pause = False, RETRY_S
                return
        except (sqlite3.Error, OSError) as error:
            # It is full or locked; a sound database is as good as before.
            logger.warning("the database could not be scrubbed yet", why=str(error))
        self._wait()

    def _vacuum(self) -> None:
        needed, free = ROOM * schema.size(self._db), shutil.disk_usage(self._directory).free
        if free < needed:
            logger.warning(
                "the disk has no room to scrub the database: free some space",
                needed_bytes=needed,
                free_bytes=free,
            )
            return
        self._db.execute("VACUUM")
        self._vacuumed, self._pause = True, RETRY_S

    def _wait(self) -> None:
        """Put the next attempt off: the writer must have time for changes between two."""
        self._not_before = time.monotonic() + self._pause
        longest = LONGEST_WAL_RETRY_S if self._vacuumed else LONGEST_RETRY_S
        self._pause = min(2 * self._pause, longest)
