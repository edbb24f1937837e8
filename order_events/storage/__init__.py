"""SQLite: schema, group commit by one writer, and a pool of readers."""
