"""The SQLite database: its schema, one writer that commits in groups, and a pool of readers."""
