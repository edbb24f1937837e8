"""A menu compiled for reading orders against it."""
