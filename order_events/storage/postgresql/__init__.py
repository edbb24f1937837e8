"""The database in PostgreSQL, which any number of processes may share."""
