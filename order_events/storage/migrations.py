"""The database schema, version by version."""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE restaurants (
        id TEXT PRIMARY KEY,
        seq INTEGER NOT NULL,
        kds_seq INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE events (
        restaurant_id TEXT NOT NULL,
        seq INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        type TEXT NOT NULL,
        tags TEXT NOT NULL,
        body BLOB NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (restaurant_id, seq)
    ) WITHOUT ROWID;
    CREATE TABLE menus (
        restaurant_id TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        body TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        updated_by TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE orders (
        restaurant_id TEXT NOT NULL,
        id TEXT NOT NULL,
        number INTEGER NOT NULL,
        status TEXT NOT NULL,
        table_id TEXT,
        seq INTEGER NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, id)
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX orders_by_number ON orders (restaurant_id, number);
    CREATE INDEX orders_by_seq ON orders (restaurant_id, seq);
    CREATE TABLE order_numbers (
        restaurant_id TEXT NOT NULL,
        day TEXT NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (restaurant_id, day)
    ) WITHOUT ROWID;
    CREATE TABLE idempotency (
        restaurant_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        result_id TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (restaurant_id, kind, key)
    ) WITHOUT ROWID;
    CREATE INDEX idempotency_by_age ON idempotency (at);
    CREATE TABLE tables (
        restaurant_id TEXT NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, id)
    ) WITHOUT ROWID;
    CREATE TABLE payments (
        restaurant_id TEXT NOT NULL,
        id TEXT NOT NULL,
        order_id TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, id)
    ) WITHOUT ROWID;
    CREATE INDEX payments_by_order ON payments (restaurant_id, order_id);
    CREATE TABLE revocations (
        restaurant_id TEXT NOT NULL,
        token_id TEXT,
        user_id TEXT,
        at REAL NOT NULL,
        by TEXT NOT NULL
    );
    """,
    "ALTER TABLE idempotency ADD COLUMN digest TEXT",
    """
    CREATE TABLE sessions (
        restaurant_id TEXT NOT NULL,
        session_id TEXT NOT NULL,
        actor TEXT NOT NULL,
        lane TEXT,
        table_id TEXT,
        ordering INTEGER NOT NULL,
        status TEXT NOT NULL DEFAULT 'listening',
        order_id TEXT,
        held_by TEXT,
        version INTEGER NOT NULL DEFAULT 1,
        utterances INTEGER NOT NULL DEFAULT 0,
        edits INTEGER NOT NULL DEFAULT 0,
        handed_over INTEGER NOT NULL DEFAULT 0,
        cancelled INTEGER NOT NULL DEFAULT 0,
        started_at REAL NOT NULL,
        last_at REAL NOT NULL,
        confirmed_at REAL,
        ended_at REAL,
        erased_at REAL,
        PRIMARY KEY (restaurant_id, session_id)
    ) WITHOUT ROWID;
    CREATE INDEX sessions_by_start ON sessions (restaurant_id, started_at);
    CREATE INDEX sessions_by_age ON sessions (restaurant_id, last_at);
    CREATE TABLE audit (
        restaurant_id TEXT NOT NULL,
        subject TEXT NOT NULL,
        number INTEGER NOT NULL,
        kind TEXT NOT NULL,
        actor TEXT NOT NULL,
        at REAL NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, subject, number)
    ) WITHOUT ROWID;
    CREATE INDEX audit_by_kind ON audit (restaurant_id, kind, at);
    CREATE INDEX events_by_session ON events
        (restaurant_id, json_extract(tags, '$.session_id[0]'), seq)
        WHERE type IN ('voice:transcript', 'voice:order');
    """,
    """
    CREATE INDEX orders_by_table ON orders (restaurant_id, table_id, number);
    CREATE INDEX orders_by_status ON orders (restaurant_id, status, number);
    ALTER TABLE payments ADD COLUMN at TEXT;
    UPDATE payments SET at = json_extract(body, '$.created_at');
    CREATE INDEX payments_by_time ON payments (restaurant_id, at, id);
    DROP INDEX payments_by_order;
    CREATE INDEX payments_by_order ON payments (restaurant_id, order_id, at, id);
    """,
    """
    CREATE TABLE calls (
        restaurant_id TEXT NOT NULL,
        id TEXT NOT NULL,
        session_id TEXT NOT NULL,
        open INTEGER NOT NULL,
        since TEXT NOT NULL,
        seen TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, id)
    ) WITHOUT ROWID;
    CREATE INDEX calls_by_session ON calls (restaurant_id, session_id);
    CREATE INDEX open_calls ON calls (restaurant_id, since) WHERE open;
    """,
    """
    ALTER TABLE menus ADD COLUMN trial_orders INTEGER;
    ALTER TABLE menus ADD COLUMN trial_left INTEGER;
    ALTER TABLE sessions ADD COLUMN trial_status TEXT;
    CREATE INDEX sessions_on_trial ON sessions (restaurant_id, started_at)
        WHERE trial_status IS NOT NULL;
    """,
    """
    CREATE TABLE set_aside (
        name TEXT NOT NULL,
        place TEXT NOT NULL,
        content TEXT NOT NULL,
        at REAL NOT NULL
    );
    """,
    "ALTER TABLE sessions ADD COLUMN words_left INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TABLE webhooks (
        restaurant_id TEXT NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        secrets TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, id)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE pairings (
        code TEXT PRIMARY KEY,
        restaurant_id TEXT NOT NULL,
        role TEXT NOT NULL,
        name TEXT NOT NULL,
        lane TEXT,
        created_by TEXT NOT NULL,
        expires_at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE used_links (id TEXT PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;
    CREATE TABLE devices (
        id TEXT PRIMARY KEY,
        restaurant_id TEXT NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        lane TEXT,
        created_at REAL NOT NULL,
        created_by TEXT NOT NULL,
        seen_at REAL,
        credential TEXT NOT NULL,
        next TEXT,
        renewed_at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX devices_by_restaurant ON devices (restaurant_id, name);
    CREATE TABLE staff (
        restaurant_id TEXT NOT NULL,
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        role TEXT NOT NULL,
        pin TEXT NOT NULL,
        failures INTEGER NOT NULL DEFAULT 0,
        locked_until REAL,
        PRIMARY KEY (restaurant_id, id)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE leases (
        name TEXT PRIMARY KEY,
        holder TEXT NOT NULL,
        expires_at REAL NOT NULL
    ) WITHOUT ROWID;
    ALTER TABLE sessions ADD COLUMN node TEXT;
    ALTER TABLE sessions ADD COLUMN owner_term INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE restaurants ADD COLUMN kds_at REAL NOT NULL DEFAULT 0;
    CREATE INDEX revocations_by_time ON revocations (at);
    CREATE INDEX open_sessions ON sessions (node) WHERE ended_at IS NULL;
    """,
    """
    CREATE TABLE menu_versions (
        restaurant_id TEXT NOT NULL,
        version INTEGER NOT NULL,
        body TEXT NOT NULL,
        items INTEGER NOT NULL,
        published_at TEXT NOT NULL,
        published_by TEXT NOT NULL,
        restored_from INTEGER,
        trial_orders INTEGER,
        PRIMARY KEY (restaurant_id, version)
    ) WITHOUT ROWID;
    INSERT INTO menu_versions SELECT restaurant_id, version, body,
        CASE WHEN json_valid(body) THEN json_array_length(body, '$.items') ELSE 0 END,
        updated_at, updated_by, NULL, trial_orders FROM menus;
    """,
)
"""Scripts that each turn a database of version n into one of version n + 1."""
