"""The schema in PostgreSQL, version by version.

It has the tables and columns of SQLite's; a test compares them. Names and times sort byte by byte,
as they do there. Nodes of two neighbouring versions run side by side: a step may only add what the
program before it can do without, so that columns are removed one version after their last use.
"""

from __future__ import annotations

MIGRATIONS: tuple[str, ...] = (
    # The first two take the place of functions that SQLite has of its own. Neither fails: a damaged
    # row must not keep the others from being read.
    r"""
    CREATE FUNCTION json_valid(body TEXT) RETURNS BOOLEAN
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    BEGIN
        PERFORM body::json;
        RETURN TRUE;
    EXCEPTION WHEN OTHERS THEN
        RETURN FALSE;
    END $$;
    CREATE FUNCTION json_extract(body TEXT, path TEXT) RETURNS TEXT
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    BEGIN
        RETURN replace(body, '\u0000', '')::json
            #>> string_to_array(translate(ltrim(path, '$.'), '[]', '.'), '.');
    EXCEPTION WHEN OTHERS THEN
        RETURN NULL;
    END $$;
    CREATE FUNCTION instr(whole TEXT, part TEXT) RETURNS INTEGER
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT strpos($1, $2)';
    CREATE TABLE meta (
        key TEXT COLLATE "C" NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (key)
    );
    CREATE TABLE restaurants (
        id TEXT COLLATE "C" NOT NULL,
        seq BIGINT NOT NULL,
        kds_seq BIGINT NOT NULL DEFAULT 0,
        kds_at DOUBLE PRECISION NOT NULL DEFAULT 0,
        PRIMARY KEY (id)
    );
    CREATE TABLE events (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        seq BIGINT NOT NULL,
        event_id TEXT COLLATE "C" NOT NULL,
        type TEXT COLLATE "C" NOT NULL,
        tags TEXT NOT NULL,
        body BYTEA NOT NULL,
        at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (restaurant_id, seq)
    );
    CREATE TABLE menus (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        version BIGINT NOT NULL,
        body TEXT NOT NULL,
        updated_at TEXT COLLATE "C" NOT NULL,
        updated_by TEXT COLLATE "C" NOT NULL,
        trial_orders BIGINT,
        trial_left BIGINT,
        PRIMARY KEY (restaurant_id)
    );
    CREATE TABLE orders (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        id TEXT COLLATE "C" NOT NULL,
        number BIGINT NOT NULL,
        status TEXT COLLATE "C" NOT NULL,
        table_id TEXT COLLATE "C",
        seq BIGINT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, id)
    );
    CREATE TABLE order_numbers (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        day TEXT COLLATE "C" NOT NULL,
        last BIGINT NOT NULL,
        PRIMARY KEY (restaurant_id, day)
    );
    CREATE TABLE idempotency (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        kind TEXT COLLATE "C" NOT NULL,
        key TEXT COLLATE "C" NOT NULL,
        result_id TEXT COLLATE "C" NOT NULL,
        at DOUBLE PRECISION NOT NULL,
        digest TEXT COLLATE "C",
        PRIMARY KEY (restaurant_id, kind, key)
    );
    CREATE TABLE tables (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        id TEXT COLLATE "C" NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, id)
    );
    CREATE TABLE payments (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        id TEXT COLLATE "C" NOT NULL,
        order_id TEXT COLLATE "C" NOT NULL,
        body TEXT NOT NULL,
        at TEXT COLLATE "C",
        PRIMARY KEY (restaurant_id, id)
    );
    CREATE TABLE revocations (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        token_id TEXT COLLATE "C",
        user_id TEXT COLLATE "C",
        at DOUBLE PRECISION NOT NULL,
        by TEXT COLLATE "C" NOT NULL
    );
    CREATE TABLE sessions (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        session_id TEXT COLLATE "C" NOT NULL,
        actor TEXT COLLATE "C" NOT NULL,
        lane TEXT COLLATE "C",
        table_id TEXT COLLATE "C",
        ordering BOOLEAN NOT NULL,
        status TEXT COLLATE "C" NOT NULL DEFAULT 'listening',
        order_id TEXT COLLATE "C",
        held_by TEXT COLLATE "C",
        version BIGINT NOT NULL DEFAULT 1,
        utterances BIGINT NOT NULL DEFAULT 0,
        edits BIGINT NOT NULL DEFAULT 0,
        handed_over BOOLEAN NOT NULL DEFAULT FALSE,
        cancelled BOOLEAN NOT NULL DEFAULT FALSE,
        started_at DOUBLE PRECISION NOT NULL,
        last_at DOUBLE PRECISION NOT NULL,
        confirmed_at DOUBLE PRECISION,
        ended_at DOUBLE PRECISION,
        erased_at DOUBLE PRECISION,
        trial_status TEXT COLLATE "C",
        words_left BOOLEAN NOT NULL DEFAULT FALSE,
        node TEXT COLLATE "C",
        owner_term BIGINT NOT NULL DEFAULT 0,
        PRIMARY KEY (restaurant_id, session_id)
    );
    CREATE TABLE audit (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        subject TEXT COLLATE "C" NOT NULL,
        number BIGINT NOT NULL,
        kind TEXT COLLATE "C" NOT NULL,
        actor TEXT COLLATE "C" NOT NULL,
        at DOUBLE PRECISION NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, subject, number)
    );
    CREATE TABLE calls (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        id TEXT COLLATE "C" NOT NULL,
        session_id TEXT COLLATE "C" NOT NULL,
        open BOOLEAN NOT NULL,
        since TEXT COLLATE "C" NOT NULL,
        seen TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, id)
    );
    CREATE TABLE set_aside (
        name TEXT COLLATE "C" NOT NULL,
        place TEXT COLLATE "C" NOT NULL,
        content TEXT NOT NULL,
        at DOUBLE PRECISION NOT NULL
    );
    CREATE TABLE webhooks (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        id TEXT COLLATE "C" NOT NULL,
        body TEXT NOT NULL,
        secrets TEXT NOT NULL,
        PRIMARY KEY (restaurant_id, id)
    );
    CREATE TABLE pairings (
        code TEXT COLLATE "C" NOT NULL,
        restaurant_id TEXT COLLATE "C" NOT NULL,
        role TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        lane TEXT COLLATE "C",
        created_by TEXT COLLATE "C" NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (code)
    );
    CREATE TABLE used_links (
        id TEXT COLLATE "C" NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (id)
    );
    CREATE TABLE devices (
        id TEXT COLLATE "C" NOT NULL,
        restaurant_id TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        role TEXT COLLATE "C" NOT NULL,
        lane TEXT COLLATE "C",
        created_at DOUBLE PRECISION NOT NULL,
        created_by TEXT COLLATE "C" NOT NULL,
        seen_at DOUBLE PRECISION,
        credential TEXT COLLATE "C" NOT NULL,
        next TEXT COLLATE "C",
        renewed_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (id)
    );
    CREATE TABLE staff (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        id TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        role TEXT COLLATE "C" NOT NULL,
        pin TEXT COLLATE "C" NOT NULL,
        failures BIGINT NOT NULL DEFAULT 0,
        locked_until DOUBLE PRECISION,
        PRIMARY KEY (restaurant_id, id)
    );
    CREATE TABLE leases (
        name TEXT COLLATE "C" NOT NULL,
        holder TEXT COLLATE "C" NOT NULL,
        expires_at DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (name)
    );
    CREATE TABLE menu_versions (
        restaurant_id TEXT COLLATE "C" NOT NULL,
        version BIGINT NOT NULL,
        body TEXT NOT NULL,
        items BIGINT NOT NULL,
        published_at TEXT COLLATE "C" NOT NULL,
        published_by TEXT COLLATE "C" NOT NULL,
        restored_from BIGINT,
        trial_orders BIGINT,
        PRIMARY KEY (restaurant_id, version)
    );
    CREATE UNIQUE INDEX orders_by_number ON orders (restaurant_id, number);
    CREATE INDEX orders_by_seq ON orders (restaurant_id, seq);
    CREATE INDEX idempotency_by_age ON idempotency (at);
    CREATE INDEX sessions_by_start ON sessions (restaurant_id, started_at);
    CREATE INDEX sessions_by_age ON sessions (restaurant_id, last_at);
    CREATE INDEX audit_by_kind ON audit (restaurant_id, kind, at);
    CREATE INDEX events_by_session ON events
        (restaurant_id, json_extract(tags, '$.session_id[0]'), seq)
        WHERE type IN ('voice:transcript', 'voice:order');
    CREATE INDEX orders_by_table ON orders (restaurant_id, table_id, number);
    CREATE INDEX orders_by_status ON orders (restaurant_id, status, number);
    CREATE INDEX payments_by_time ON payments (restaurant_id, at, id);
    CREATE INDEX payments_by_order ON payments (restaurant_id, order_id, at, id);
    CREATE INDEX calls_by_session ON calls (restaurant_id, session_id);
    CREATE INDEX open_calls ON calls (restaurant_id, since) WHERE open;
    CREATE INDEX sessions_on_trial ON sessions (restaurant_id, started_at)
        WHERE trial_status IS NOT NULL;
    CREATE INDEX devices_by_restaurant ON devices (restaurant_id, name);
    CREATE INDEX revocations_by_time ON revocations (at);
    CREATE INDEX open_sessions ON sessions (node) WHERE ended_at IS NULL;
    """,
)
"""Scripts that each turn a database of version n into one of version n + 1."""
