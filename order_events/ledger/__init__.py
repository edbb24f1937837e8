"""What the hub remembers: order changes, the audit log, voice sessions, retention, erasure."""
